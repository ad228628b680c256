import type { GoField, GoStruct } from './go-types.ts';

/** The structs of apiregistration.k8s.io/v1, which no package of the distribution carries: `[json, number, Go type]`; `!` = always written. */
const tables: Readonly<Record<string, readonly (readonly [json: string, number: number, type: string])[]>> = {
  APIService: [
    ['metadata', 1, 'v1.ObjectMeta'],
    ['spec', 2, 'v1.APIServiceSpec'],
    ['status', 3, 'v1.APIServiceStatus'],
  ],
  APIServiceSpec: [
    ['service', 1, '*v1.ServiceReference'],
    ['group', 2, 'string'],
    ['version', 3, 'string'],
    ['insecureSkipTLSVerify', 4, 'bool'],
    ['caBundle', 5, '[]byte'],
    ['groupPriorityMinimum!', 7, 'int32'],
    ['versionPriority!', 8, 'int32'],
  ],
  ServiceReference: [
    ['namespace', 1, 'string'],
    ['name', 2, 'string'],
    ['port', 3, '*int32'],
  ],
  APIServiceStatus: [['conditions', 1, '[]v1.APIServiceCondition']],
  APIServiceCondition: [
    ['type!', 1, 'v1.APIServiceConditionType'],
    ['status!', 2, 'v1.ConditionStatus'],
    ['lastTransitionTime', 3, 'v1.Time'],
    ['reason', 4, 'string'],
    ['message', 5, 'string'],
  ],
};

export const apiregistrationStructs: readonly GoStruct[] = Object.entries(tables).map(([name, rows]) => ({
  name,
  markers: new Map(),
  fields: rows.map(([json, number, type]): GoField => {
    const written = json.endsWith('!');
    return {
      json: written ? json.slice(0, -1) : json,
      number,
      type,
      omitEmpty: !written,
      omitZero: false,
      inline: false,
      patchStrategy: [],
      patchMergeKey: undefined,
      markers: new Map(),
    };
  }),
}));
