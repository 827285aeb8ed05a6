import { unescapeHelp } from '../instruments/label-text.js';
import { BOUND_LABELS, type ForeignFamily, type ForeignSample } from './foreign-family.js';
import { writeExemplar } from './protobuf-exemplar.js';
import { writeTextLabels } from './protobuf-labels.js';
import * as schema from './protobuf-schema.js';
import type { ProtobufWriter } from './protobuf-writer.js';

/** Samples with the same labels but for their bound: one metric to protobuf. */
interface Group {
  readonly labels: ForeignSample['labels'];
  /** By bound: the `le` of a bucket, the `quantile` of a quantile. */
  readonly bounded: { readonly bound: number; readonly sample: ForeignSample }[];
  value: number | undefined;
  sum: number | undefined;
  count: number | undefined;
  exemplar: ForeignSample['exemplar'];
}

/**
 * Writes a foreign family. What protobuf has no place for is left out: samples that are called otherwise than their type has it. A family
 * without a series is left out as well, as readers skip it.
 */
export function writeForeignProtobuf(writer: ProtobufWriter, family: ForeignFamily): void {
  const groups = groupsOf(family);
  if (groups.length === 0) return;
  const start = writer.openUntagged(2);
  writer.text(schema.FAMILY_NAME, family.name);
  writer.text(schema.FAMILY_HELP, unescapeHelp(family.help));
  writer.byte(schema.FAMILY_TYPE);
  writer.varint(schema.MetricType[family.type === 'unknown' ? 'untyped' : family.type]);
  for (const group of groups) {
    const metric = writer.open(schema.FAMILY_METRIC, 2);
    writeTextLabels(writer, group.labels);
    writeContent(writer, family.type, group);
    writer.close(metric, 2);
  }
  writer.close(start, 2);
}

function writeContent(writer: ProtobufWriter, type: ForeignFamily['type'], group: Group): void {
  switch (type) {
    case 'counter': {
      const content = writer.open(schema.METRIC_COUNTER, 1);
      writer.double(schema.COUNTER_VALUE, group.value as number);
      if (group.exemplar !== undefined)
        writeExemplar(writer, schema.COUNTER_EXEMPLAR, group.exemplar);
      writer.close(content, 1);
      return;
    }
    case 'gauge':
      writeValue(writer, { tag: schema.METRIC_GAUGE, valueTag: schema.GAUGE_VALUE }, group);
      return;
    case 'unknown':
      writeValue(writer, { tag: schema.METRIC_UNTYPED, valueTag: schema.UNTYPED_VALUE }, group);
      return;
    case 'histogram':
      writeHistogram(writer, group);
      return;
    case 'summary':
      writeSummary(writer, group);
      return;
  }
}

function writeValue(
  writer: ProtobufWriter,
  { tag, valueTag }: { readonly tag: number; readonly valueTag: number },
  { value }: Group,
): void {
  const content = writer.open(tag, 1);
  writer.double(valueTag, value as number);
  writer.close(content, 1);
}

function writeHistogram(writer: ProtobufWriter, { bounded, count, sum }: Group): void {
  const content = writer.open(schema.METRIC_HISTOGRAM, 2);
  writer.byte(schema.HISTOGRAM_COUNT);
  writer.varint(wholeCount(count));
  writer.double(schema.HISTOGRAM_SUM, sum ?? 0);
  for (const { bound, sample } of bounded) {
    const bucket = writer.open(schema.HISTOGRAM_BUCKET, 1);
    writer.byte(schema.BUCKET_COUNT);
    writer.varint(wholeCount(sample.value));
    writer.double(schema.BUCKET_BOUND, bound);
    if (sample.exemplar !== undefined)
      writeExemplar(writer, schema.BUCKET_EXEMPLAR, sample.exemplar);
    writer.close(bucket, 1);
  }
  writer.close(content, 2);
}

function writeSummary(writer: ProtobufWriter, { bounded, count, sum }: Group): void {
  const content = writer.open(schema.METRIC_SUMMARY, 2);
  writer.byte(schema.SUMMARY_COUNT);
  writer.varint(wholeCount(count));
  writer.double(schema.SUMMARY_SUM, sum ?? 0);
  for (const { bound, sample } of bounded) {
    const quantile = writer.open(schema.SUMMARY_QUANTILE, 1);
    writer.double(schema.QUANTILE_SHARE, bound);
    writer.double(schema.QUANTILE_VALUE, sample.value);
    writer.close(quantile, 1);
  }
  writer.close(content, 2);
}

/** Counts are unsigned there, and a foreign metric may say anything. */
function wholeCount(value: number | undefined): number {
  return value !== undefined && value > 0 && value < 2 ** 63 ? Math.round(value) : 0;
}

function groupsOf({ name, type, samples }: ForeignFamily): Group[] {
  const groups = new Map<string, Group>();
  const isComposed = type === 'histogram' || type === 'summary';
  for (const sample of samples) {
    const labels = isComposed
      ? sample.labels.filter(([label]) => !BOUND_LABELS.includes(label))
      : sample.labels;
    const key = JSON.stringify(labels);
    const group: Group = groups.get(key) ?? {
      labels,
      bounded: [],
      value: undefined,
      sum: undefined,
      count: undefined,
      exemplar: undefined,
    };
    if (put(group, sample, { name, type })) groups.set(key, group);
  }
  return [...groups.values()];
}

/** @returns Whether the sample has a place. */
function put(
  group: Group,
  sample: ForeignSample,
  { name, type }: Pick<ForeignFamily, 'name' | 'type'>,
): boolean {
  const isComposed = type === 'histogram' || type === 'summary';
  if (isComposed && sample.name === `${name}_sum`) {
    group.sum = sample.value;
  } else if (isComposed && sample.name === `${name}_count`) {
    group.count = sample.value;
  } else if (sample.name === (type === 'histogram' ? `${name}_bucket` : name)) {
    if (!isComposed) {
      group.value = sample.value;
      group.exemplar = sample.exemplar;
      return true;
    }
    const label = type === 'histogram' ? 'le' : 'quantile';
    const bound = boundOf(sample.labels.find(([one]) => one === label)?.[1]);
    if (bound === undefined) return false;
    group.bounded.push({ bound, sample });
  } else {
    return false;
  }
  return true;
}

function boundOf(text: string | undefined): number | undefined {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  const bound = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(bound) ? undefined : bound;
}
