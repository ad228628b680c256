import { type ScalarTag, stringify, type Tags } from 'yaml';
import { encodeProtobuf } from '../../api/codec/encode-protobuf.ts';
import { internalError, StatusError } from '../../api/status-error.ts';
import { ForbiddenRequest } from '../auth/forbidden.ts';
import type { AnswerHeaders, Exchange, FullAnswer } from './exchange.ts';
import { header, jsonAnswer } from './exchange.ts';
import { type Format, negotiate, wantsPretty } from './negotiate.ts';

const encoder = new TextEncoder();
const protobufType = 'application/vnd.kubernetes.protobuf';

/** The answer for an error; what is not a StatusError becomes a 500 that names no details of ours. */
export function errorAnswer(exchange: Exchange, error: unknown): FullAnswer {
  const status = error instanceof StatusError ? error : internalError(error);
  const retryAfter = status.details?.retryAfterSeconds;
  const headers: AnswerHeaders = {};
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter);
  if (error instanceof ForbiddenRequest) headers['x-content-type-options'] = 'nosniff';
  return valueAnswer(exchange, status.code, status.toStatus(), headers);
}

/** A value in the format the client asked for; JSON when that cannot be understood. */
export function valueAnswer(exchange: Exchange, status: number, value: unknown, headers: AnswerHeaders = {}): FullAnswer {
  const format = acceptedFormat(exchange);
  if (format === 'yaml') {
    return { status, headers: { 'content-type': 'application/yaml', ...headers }, parts: [encoder.encode(yamlText(value))] };
  }
  if (format === 'protobuf') {
    const bytes = encodeProtobuf(value);
    if (bytes) return { status, headers: { 'content-type': protobufType, ...headers }, parts: [bytes] };
  }
  if (!wantsPretty(exchange.query, header(exchange, 'user-agent'))) return jsonAnswer(status, value, headers);
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  return { status, headers: { 'content-type': 'application/json', ...headers }, parts: [encoder.encode(text)] };
}

function acceptedFormat(exchange: Exchange): Format {
  try {
    return negotiate(header(exchange, 'accept'), true).format;
  } catch {
    return 'json';
  }
}

/** To write YAML takes 50 times as long as JSON, and many times its memory. Above this many characters YAML is written as JSON, which is YAML too. */
export const maxBlockYamlLength = 64 * 1024;

function yamlText(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > maxBlockYamlLength ? `${json}\n` : toYaml(value);
}

/** YAML as upstream writes it: keys sorted, texts that look like times or numbers quoted. */
function toYaml(value: unknown): string {
  return stringify(value, {
    sortMapEntries: true,
    version: '1.1',
    aliasDuplicateObjects: false,
    lineWidth: 0,
    singleQuote: false,
    indentSeq: false,
    schema: 'yaml-1.1',
    customTags: (tags) => tags.map(needingDigits),
  });
}

/** YAML 1.1 lets a lone dot be a number; upstream's writer does not, and leaves the key `.` of managedFields without quotes. */
function needingDigits(tag: Tags[number]): Tags[number] {
  if (typeof tag !== 'object' || tag.tag !== 'tag:yaml.org,2002:float') return tag;
  const scalar = tag as ScalarTag;
  return scalar.test?.test('.') ? { ...scalar, test: new RegExp(`(?=.*\\d)${scalar.test.source}`) } : tag;
}
