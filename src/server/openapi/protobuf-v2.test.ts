import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import protobuf from 'protobufjs';
import { encodeOpenApiV2 } from './protobuf-v2.ts';

/** Of gnostic's messages those that clients look into. */
const messages = `
syntax = "proto3";
message Any { string yaml = 2; }
message NamedAny { string name = 1; Any value = 2; }
message TypeItem { repeated string value = 1; }
message ItemsItem { repeated Schema schema = 1; }
message AdditionalPropertiesItem { oneof oneof { Schema schema = 1; bool boolean = 2; } }
message NamedSchema { string name = 1; Schema value = 2; }
message Schemas { repeated NamedSchema additional_properties = 1; }
message Schema {
  string _ref = 1; string format = 2; string description = 4; double minimum = 9; int64 max_length = 11; bool unique_items = 16;
  repeated string required = 19; AdditionalPropertiesItem additional_properties = 21; TypeItem type = 22; ItemsItem items = 23;
  Schemas properties = 25; repeated NamedAny vendor_extension = 31;
}
message SubSchema { bool required = 1; string in = 2; string name = 4; }
message NonBodyParameter { SubSchema query_parameter_sub_schema = 3; SubSchema path_parameter_sub_schema = 4; }
message BodyParameter { string name = 2; Schema schema = 5; }
message Parameter { BodyParameter body_parameter = 1; NonBodyParameter non_body_parameter = 2; }
message JsonReference { string _ref = 1; }
message ParametersItem { Parameter parameter = 1; JsonReference json_reference = 2; }
message SchemaItem { Schema schema = 1; }
message Response { string description = 1; SchemaItem schema = 2; }
message ResponseValue { Response response = 1; }
message NamedResponseValue { string name = 1; ResponseValue value = 2; }
message Responses { repeated NamedResponseValue response_code = 1; }
message Operation { string operation_id = 5; repeated string produces = 6; repeated ParametersItem parameters = 8; Responses responses = 9; repeated NamedAny vendor_extension = 13; }
message PathItem { Operation patch = 8; }
message NamedPathItem { string name = 1; PathItem value = 2; }
message Paths { repeated NamedPathItem path = 2; }
message Info { string title = 1; string version = 2; }
message Document { string swagger = 1; Info info = 2; Paths paths = 8; Schemas definitions = 9; }
`;

const document = {
  swagger: '2.0',
  info: { title: 'Kubernetes', version: 'v1' },
  paths: {
    '/a/{name}': {
      patch: {
        operationId: 'patchA',
        produces: ['application/json', 'application/yaml'],
        parameters: [
          { in: 'query', name: 'dryRun' },
          { in: 'path', name: 'name', required: true },
          { in: 'body', name: 'body', schema: { $ref: '#/definitions/A' } },
          { $ref: '#/parameters/p' },
        ],
        responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/A' } }, 401: { description: 'no' } },
        'x-kubernetes-group-version-kind': { group: 'g', kind: 'A', version: 'v1' },
      },
    },
  },
  definitions: {
    A: {
      type: 'object',
      description: 'ü',
      required: ['a'],
      properties: {
        a: { type: 'array', items: { type: 'string' }, uniqueItems: true, 'x-kubernetes-list-type': 'set' },
        b: { type: 'object', additionalProperties: { format: 'int-or-string', minimum: 0.5, maxLength: 300 } },
        c: { additionalProperties: false },
      },
      'x-kubernetes-group-version-kind': [{ group: 'g', kind: 'A', version: 'v1' }],
    },
  },
};

describe('encodeOpenApiV2', () => {
  it('writes what Go clients read', () => {
    const type = protobuf.parse(messages, { keepCase: true }).root.lookupType('Document');
    const decoded = type.toObject(type.decode(encodeOpenApiV2(document)), { longs: Number });
    const ref = { _ref: '#/definitions/A' };
    const kind = (yaml: unknown) => [{ name: 'x-kubernetes-group-version-kind', value: { yaml: JSON.stringify(yaml) } }];
    assert.deepEqual(decoded, {
      swagger: '2.0',
      info: { title: 'Kubernetes', version: 'v1' },
      paths: {
        path: [
          {
            name: '/a/{name}',
            value: {
              patch: {
                operation_id: 'patchA',
                produces: ['application/json', 'application/yaml'],
                parameters: [
                  { parameter: { non_body_parameter: { query_parameter_sub_schema: { in: 'query', name: 'dryRun' } } } },
                  {
                    parameter: {
                      non_body_parameter: { path_parameter_sub_schema: { required: true, in: 'path', name: 'name' } },
                    },
                  },
                  { parameter: { body_parameter: { name: 'body', schema: ref } } },
                  { json_reference: { _ref: '#/parameters/p' } },
                ],
                responses: {
                  response_code: [
                    { name: '200', value: { response: { description: 'OK', schema: { schema: ref } } } },
                    { name: '401', value: { response: { description: 'no' } } },
                  ],
                },
                vendor_extension: kind({ group: 'g', kind: 'A', version: 'v1' }),
              },
            },
          },
        ],
      },
      definitions: {
        additional_properties: [
          {
            name: 'A',
            value: {
              description: 'ü',
              required: ['a'],
              type: { value: ['object'] },
              properties: {
                additional_properties: [
                  {
                    name: 'a',
                    value: {
                      unique_items: true,
                      type: { value: ['array'] },
                      items: { schema: [{ type: { value: ['string'] } }] },
                      vendor_extension: [{ name: 'x-kubernetes-list-type', value: { yaml: '"set"' } }],
                    },
                  },
                  {
                    name: 'b',
                    value: {
                      type: { value: ['object'] },
                      additional_properties: { schema: { format: 'int-or-string', minimum: 0.5, max_length: 300 } },
                    },
                  },
                  { name: 'c', value: { additional_properties: { boolean: false } } },
                ],
              },
              vendor_extension: kind([{ group: 'g', kind: 'A', version: 'v1' }]),
            },
          },
        ],
      },
    });
  });
});
