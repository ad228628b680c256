import { maxScore, type ScorePlugin } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';

/** Images smaller than this are not worth a detour; per container, larger than the maximum they count no more. */
const minBytes = 23 * 1024 * 1024;
const maxBytesPerContainer = 1000 * 1024 * 1024;

/** Prefers nodes that already have the pod's images, weighed by how many nodes have them. */
export const imageLocality: ScorePlugin = {
  name: 'ImageLocality',
  weight: 1,
  score(pod, nodes, snapshot) {
    const images = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((c) => normalizedName(c.image ?? ''));
    const sizes = nodes.map(imageSizes);
    const spread = new Map(images.map((image) => [image, sizes.filter((s) => s.has(image)).length / snapshot.nodes.length]));
    const ceiling = maxBytesPerContainer * images.length;
    const scores = sizes.map((have) => {
      const bytes = images.reduce((sum, image) => sum + Math.floor((have.get(image) ?? 0) * (spread.get(image) ?? 0)), 0);
      const bounded = Math.min(Math.max(bytes, minBytes), ceiling);
      return Math.floor((maxScore * (bounded - minBytes)) / (ceiling - minBytes));
    });
    return scores.some((n) => n > 0) ? scores : undefined;
  },
};

function imageSizes(node: NodeInfo): Map<string, number> {
  return new Map(
    (node.node?.status.images ?? []).flatMap((image) => (image.names ?? []).map((name) => [name, image.sizeBytes ?? 0])),
  );
}

/** An image without a tag means `latest`. */
function normalizedName(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
