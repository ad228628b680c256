import type { BodyKind } from '../../api/codec/decode-body.ts';
import type { ManagedFieldsEntry } from '../../api/generated/types.ts';
import type { Kind } from '../../api/kind.ts';
import type { AnyObject, KubeObject } from '../../api/meta.ts';
import type { HandlerDeps, Target } from '../handlers/context.ts';
import type { Answer } from '../http/exchange.ts';
import type { Call } from '../registry/call.ts';
import type { UpdateRules } from '../registry/update.ts';

/** What a sub-resource works on. */
export interface SubresourceContext {
  readonly deps: HandlerDeps;
  readonly call: Call;
  readonly kind: Kind;
  readonly key: { readonly namespace?: string | undefined; readonly name: string };
}

/** A sub-resource with another body than the object's: scale. */
export interface ProjectedSubresource {
  /** The kind of its body. */
  readonly body: Kind;
  show(object: KubeObject): KubeObject;
  /** Writes what the body says into a mutable object; its managedFields are those of `owners` after the write. */
  change(object: KubeObject, body: KubeObject): void;
  /** The managedFields of what it shows. */
  owners(object: KubeObject): ManagedFieldsEntry[] | undefined;
}

/** A sub-resource to which things are posted: binding, eviction, token. */
export interface PostedSubresource {
  readonly body: BodyKind;
  post(context: SubresourceContext, body: AnyObject): Promise<{ code: number; object: unknown }>;
}

/** A sub-resource is one of these shapes. */
export interface Subresource {
  /** Shows the whole object and changes parts of it: status, resize, ephemeralcontainers, approval, finalize. */
  readonly rules?: UpdateRules;
  readonly projection?: ProjectedSubresource;
  readonly posted?: PostedSubresource;
  /** Answers by itself: log, exec, proxy. */
  readonly connect?: (deps: HandlerDeps, target: Target) => Promise<Answer> | Answer;
}

type WholeHandler = (deps: HandlerDeps, target: Target) => Promise<Answer> | Answer;

/** Sub-resources by kind and name; and kinds that are answered by other means than storage. */
export class SubresourceTable {
  readonly #subresources = new Map<string, Subresource>();
  readonly #whole = new Map<string, WholeHandler>();
  readonly #generic: (kind: Kind, name: string) => Subresource | undefined;

  /** `generic` answers for what was not set: status and scale look alike in every kind. */
  constructor(generic: (kind: Kind, name: string) => Subresource | undefined) {
    this.#generic = generic;
  }

  set(kind: Kind, name: string, subresource: Subresource): this {
    this.#subresources.set(`${kind.group}/${kind.plural}/${name}`, subresource);
    return this;
  }

  setWhole(kind: Kind, handler: WholeHandler): this {
    return this.setWholeResource(`${kind.group}/${kind.plural}`, handler);
  }

  /** `resource` is `<group>/<plural>`. */
  setWholeResource(resource: string, handler: WholeHandler): this {
    this.#whole.set(resource, handler);
    return this;
  }

  find(kind: Kind, name: string): Subresource | undefined {
    return this.#subresources.get(`${kind.group}/${kind.plural}/${name}`) ?? this.#generic(kind, name);
  }

  whole(kind: Kind): WholeHandler | undefined {
    return this.#whole.get(`${kind.group}/${kind.plural}`);
  }
}
