import { connect, type TLSSocket } from 'node:tls';
import { Node } from '../../../api/kinds/core/node.ts';
import { internalError, notFound, type StatusError, serviceUnavailable } from '../../../api/status-error.ts';
import type { Reader } from '../../registry/reader.ts';

/** How the server shows itself to node agents, and which CA theirs come from. PEM. */
export interface NodeClientCredentials {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly caPem: string;
}

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

const defaultAgentPort = 10250;
/** A node that does not take the connection within this time is not reachable. */
export const connectTimeoutMs = 10_000;
const preferredAddresses = ['InternalIP', 'ExternalIP', 'Hostname'] as const;

/** `10.0.0.5:10250`, `[fd00::5]:10250`. */
export const authorityOf = ({ host, port }: NodeAddress): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Where a node's agent listens. Throws StatusError 404 for unknown nodes, 500 for nodes that have not said where they are. */
export function nodeAddress(reader: Reader, name: string): NodeAddress {
  const node = reader.get(Node, { name });
  if (!node) throw notFound(Node, name);
  const addresses = node.status?.addresses ?? [];
  for (const type of preferredAddresses) {
    const host = addresses.find((address) => address.type === type)?.address;
    if (host) return { host, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port || defaultAgentPort };
  }
  throw internalError(
    new Error(`no preferred addresses found; known addresses: [] (node ${name} has not reported its address yet)`),
  );
}

/** A TLS connection to a node's agent. Rejects with StatusError 503 when it cannot be had. */
export function connectNode(address: NodeAddress, credentials: NodeClientCredentials): Promise<TLSSocket> {
  const { host, port } = address;
  const { certificatePem, keyPem, caPem } = credentials;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, cert: certificatePem, key: keyPem, ca: caPem, ALPNProtocols: ['http/1.1'] });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(nodeUnreachable(address, error));
    };
    socket.setTimeout(connectTimeoutMs, () => fail(new Error('connection timed out')));
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      socket.removeListener('error', fail);
      resolve(socket);
    });
  });
}

/** 503 for an agent that cannot be reached, in the words kubectl users look up. */
export function nodeUnreachable(address: NodeAddress, error: Error): StatusError {
  return serviceUnavailable(`error dialing backend: dial tcp ${authorityOf(address)}: ${error.message}`);
}
