/**
 * Replaces `$(NAME)` by the value of NAME; `$$(NAME)` stands for the text `$(NAME)`; an unknown name stays as it is written.
 * Rule: kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\(([^()]*)\))/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$';
    return lookup(name) ?? whole;
  });
}
