import type * as t from '../../generated/types.ts';

/**
 * autoscaling/v1 writes metrics flat (`targetAverageUtilization`), v2 nested (`target: {type, averageUtilization}`). Shapes as in
 * kubernetes: staging/src/k8s.io/api/autoscaling/v1/types.go.
 */
interface FlatSource {
  name?: string;
  container?: string;
  metricName?: string;
  selector?: t.LabelSelector;
  metricSelector?: t.LabelSelector;
  target?: t.CrossVersionObjectReferenceV2;
  averageValue?: string;
  targetValue?: string;
  targetAverageValue?: string;
  targetAverageUtilization?: number;
}
interface FlatStatus {
  name?: string;
  container?: string;
  metricName?: string;
  selector?: t.LabelSelector;
  metricSelector?: t.LabelSelector;
  target?: t.CrossVersionObjectReferenceV2;
  averageValue?: string;
  currentValue?: string;
  currentAverageValue?: string;
  currentAverageUtilization?: number;
}
type Flat<S> = { type: string } & Partial<Record<'object' | 'pods' | 'resource' | 'containerResource' | 'external', S>>;

/** Leaves out what is undefined. */
function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** v2 metric → v1 flat form. */
export function flatSpec(m: t.MetricSpecV2): Flat<FlatSource> {
  const { object, pods, resource, containerResource, external } = m;
  return defined<Flat<FlatSource>>({
    type: m.type,
    object: object && {
      ...defined<FlatSource>({
        target: object.describedObject,
        metricName: object.metric.name,
        selector: object.metric.selector,
      }),
      ...defined<FlatSource>({ targetValue: object.target.value ?? '0', averageValue: object.target.averageValue }),
    },
    pods:
      pods &&
      defined<FlatSource>({
        metricName: pods.metric.name,
        targetAverageValue: pods.target.averageValue,
        selector: pods.metric.selector,
      }),
    resource: resource && { name: resource.name, ...flatTarget(resource.target) },
    containerResource: containerResource && {
      name: containerResource.name,
      ...flatTarget(containerResource.target),
      container: containerResource.container,
    },
    external:
      external &&
      defined<FlatSource>({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
  });
}

function flatTarget(target: t.MetricTargetV2): FlatSource {
  return defined<FlatSource>({
    targetAverageUtilization: target.averageUtilization,
    targetAverageValue: target.averageValue,
  });
}

/** v1 flat form → v2 metric. */
export function nestedSpec(m: Flat<FlatSource>): t.MetricSpecV2 {
  const { object, pods, resource, containerResource, external } = m;
  return defined<t.MetricSpecV2>({
    type: m.type,
    object: object && {
      describedObject: object.target ?? { kind: '', name: '' },
      metric: identifier(object.metricName, object.selector),
      target:
        object.averageValue === undefined ? target('Value', object.targetValue) : target('AverageValue', object.averageValue),
    },
    pods: pods && {
      metric: identifier(pods.metricName, pods.selector),
      target: target('AverageValue', pods.targetAverageValue),
    },
    resource: resource && { name: resource.name ?? '', target: nestedTarget(resource) },
    containerResource: containerResource && {
      name: containerResource.name ?? '',
      container: containerResource.container ?? '',
      target: nestedTarget(containerResource),
    },
    external: external && {
      metric: identifier(external.metricName, external.metricSelector),
      target:
        external.targetValue === undefined
          ? target('AverageValue', external.targetAverageValue)
          : target('Value', external.targetValue),
    },
  });
}

function nestedTarget(source: FlatSource): t.MetricTargetV2 {
  if (source.targetAverageUtilization === undefined) return target('AverageValue', source.targetAverageValue);
  return { type: 'Utilization', averageUtilization: source.targetAverageUtilization };
}

function target(type: 'Value' | 'AverageValue', value: string | undefined): t.MetricTargetV2 {
  if (value === undefined) return { type };
  return type === 'Value' ? { type, value } : { type, averageValue: value };
}

function identifier(name: string | undefined, selector: t.LabelSelector | undefined): t.MetricIdentifierV2 {
  return { name: name ?? '', ...(selector ? { selector } : {}) };
}

/** v2 metric status → v1 flat form. */
export function flatStatus(m: t.MetricStatusV2): Flat<FlatStatus> {
  const { object, pods, resource, containerResource, external } = m;
  return defined<Flat<FlatStatus>>({
    type: m.type,
    object:
      object &&
      defined<FlatStatus>({
        target: object.describedObject,
        metricName: object.metric.name,
        currentValue: object.current.value ?? '0',
        selector: object.metric.selector,
        averageValue: object.current.averageValue,
      }),
    pods:
      pods &&
      defined<FlatStatus>({
        metricName: pods.metric.name,
        currentAverageValue: pods.current.averageValue ?? '0',
        selector: pods.metric.selector,
      }),
    resource: resource && { name: resource.name, ...flatCurrent(resource.current) },
    containerResource: containerResource && {
      name: containerResource.name,
      ...flatCurrent(containerResource.current),
      container: containerResource.container,
    },
    external:
      external &&
      defined<FlatStatus>({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value ?? '0',
        currentAverageValue: external.current.averageValue,
      }),
  });
}

function flatCurrent(current: t.MetricValueStatusV2): FlatStatus {
  return defined<FlatStatus>({
    currentAverageUtilization: current.averageUtilization,
    currentAverageValue: current.averageValue ?? '0',
  });
}

/** v1 flat form → v2 metric status. */
export function nestedStatus(m: Flat<FlatStatus>): t.MetricStatusV2 {
  const { object, pods, resource, containerResource, external } = m;
  return defined<t.MetricStatusV2>({
    type: m.type,
    object: object && {
      describedObject: object.target ?? { kind: '', name: '' },
      metric: identifier(object.metricName, object.selector),
      current: nestedCurrent({ value: object.currentValue, averageValue: object.averageValue }),
    },
    pods: pods && {
      metric: identifier(pods.metricName, pods.selector),
      current: nestedCurrent({ averageValue: pods.currentAverageValue }),
    },
    resource: resource && { name: resource.name ?? '', current: nestedUtilization(resource) },
    containerResource: containerResource && {
      name: containerResource.name ?? '',
      container: containerResource.container ?? '',
      current: nestedUtilization(containerResource),
    },
    external: external && {
      metric: identifier(external.metricName, external.metricSelector),
      current: nestedCurrent({ value: external.currentValue, averageValue: external.currentAverageValue }),
    },
  });
}

function nestedUtilization(status: FlatStatus): t.MetricValueStatusV2 {
  const { currentAverageUtilization: averageUtilization, currentAverageValue: averageValue } = status;
  // The flat form has a value always.
  const isNone = averageUtilization !== undefined && averageValue === '0';
  return nestedCurrent({ averageUtilization, averageValue: isNone ? undefined : averageValue });
}

function nestedCurrent(fields: {
  value?: string | undefined;
  averageValue?: string | undefined;
  averageUtilization?: number | undefined;
}): t.MetricValueStatusV2 {
  return defined<t.MetricValueStatusV2>({
    value: fields.value,
    averageValue: fields.averageValue,
    averageUtilization: fields.averageUtilization,
  });
}
