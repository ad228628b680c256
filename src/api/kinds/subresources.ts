import type { Subresource } from '../kind.ts';

export const statusSubresource: Subresource = { name: 'status', verbs: ['get', 'patch', 'update'] };
export const scaleSubresource: Subresource = {
  name: 'scale',
  kind: 'Scale',
  group: 'autoscaling',
  version: 'v1',
  verbs: ['get', 'patch', 'update'],
};
