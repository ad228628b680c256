/** A pod no scheduler places; every tenth has the same label `app`. */
export function pod(i: number): object {
  const container = {
    name: 'c',
    image: 'localhost/busybox:1',
    command: ['sleep', '3600'],
    resources: { requests: { cpu: '10m', memory: '16Mi' } },
    env: Array.from({ length: 10 }, (_, k) => ({ name: `E${k}`, value: `value-${k}` })),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p-${i}`, labels: { app: `a-${i % 10}`, bench: 'true' } },
    spec: { nodeSelector: { 'bench/none': 'x' }, containers: [container] },
  };
}
