import * as containerd from '../generated/containerd.ts';
import * as cri from '../generated/cri.ts';
import { Codec } from '../grpc/codec.ts';
import { GrpcClient } from '../grpc/grpc-client.ts';

export type CriClient = GrpcClient<cri.Methods, cri.Messages>;
export type ContainerdClient = GrpcClient<containerd.Methods, containerd.Messages>;
export type ContainerdCodec = Codec<containerd.Methods, containerd.Messages>;

/** containerd's namespace of everything CRI has made. */
export const criNamespace = 'k8s.io';

/** How long a call may take before the runtime counts as stuck. */
export const callTimeoutMs = {
  /** Lists, status and other reads. */
  read: 30_000,
  /** Create, start, remove: they run programs and wait for the disk; an SD card under load is slow. */
  change: 120_000,
  /** A sandbox also waits for CNI plugins and for a first containerd start. */
  sandbox: 240_000,
  /** containerd itself gives up a pull that makes no progress. */
  pull: 6 * 3_600_000,
} as const;

/** A client for the CRI service on containerd's socket. It connects at the first call. */
export function createCriClient(socketPath: string): CriClient {
  return new GrpcClient({ socketPath, descriptor: cri.descriptor, codec: new Codec(cri.descriptor) });
}

export function createContainerdCodec(): ContainerdCodec {
  return new Codec(containerd.descriptor);
}

/** A client for containerd's own services, seeing what CRI made. `onDisconnect`: an established connection was lost. */
export function createContainerdClient(
  socketPath: string,
  options: { readonly codec?: ContainerdCodec; readonly onDisconnect?: () => void } = {},
): ContainerdClient {
  return new GrpcClient({
    socketPath,
    descriptor: containerd.descriptor,
    codec: options.codec ?? createContainerdCodec(),
    metadata: { 'containerd-namespace': criNamespace },
    ...(options.onDisconnect ? { onDisconnect: options.onDisconnect } : {}),
  });
}
