import * as layout from '../layout/exemplars.js';
import type { Segment } from '../layout/segment.js';

/** An observation with labels of its own, such as the id of the trace that it was made in. */
export interface Exemplar {
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** The observed value, or the amount that was added to a counter. */
  readonly value: number;
  /** Unix time, ms. */
  readonly timestampMs: number;
}

/** An exemplar as it is written: its labels in the slot's form. */
export interface EncodedExemplar {
  readonly labels: Uint8Array;
  readonly value: number;
  readonly timestampMs: number;
}

/** Readings tried while the producer writes; one lasts less than a microsecond, so a second try succeeds as a rule. */
const ATTEMPTS_MAX = 100;

/** Writes an exemplar over the one that a slot holds. Producing thread only. layout/exemplars.ts has the protocol. */
export function writeExemplar(segment: Segment, slot: number, exemplar: EncodedExemplar): void {
  const { catalogCells, catalogDoubles, catalogBytes } = segment;
  const sequence = (slot + layout.SLOT_SEQUENCE) / 4;
  Atomics.add(catalogCells, sequence, 1);
  catalogCells[(slot + layout.SLOT_LABEL_BYTES) / 4] = exemplar.labels.length;
  catalogDoubles[(slot + layout.SLOT_VALUE) / 8] = exemplar.value;
  catalogDoubles[(slot + layout.SLOT_TIMESTAMP_MS) / 8] = exemplar.timestampMs;
  catalogBytes.set(exemplar.labels, slot + layout.SLOT_LABELS);
  Atomics.add(catalogCells, sequence, 1);
}

/** Reads a slot, on any thread. @returns `undefined` when every attempt met the producer at work: a page does without it. */
export function readExemplar(segment: Segment, slot: number): Exemplar | undefined {
  const { catalogCells, catalogDoubles, catalogBytes } = segment;
  const cell = (slot + layout.SLOT_SEQUENCE) / 4;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const sequence = Atomics.load(catalogCells, cell);
    if ((sequence & 1) === 1) continue;
    const length = catalogCells[(slot + layout.SLOT_LABEL_BYTES) / 4] as number;
    const value = catalogDoubles[(slot + layout.SLOT_VALUE) / 8] as number;
    const timestampMs = catalogDoubles[(slot + layout.SLOT_TIMESTAMP_MS) / 8] as number;
    const start = slot + layout.SLOT_LABELS;
    const labels = catalogBytes.slice(start, start + length);
    // A rmw that changes nothing, and no load: layout/redo-log.ts.
    if (Atomics.add(catalogCells, cell, 0) !== sequence) continue;
    return { labels: decodeLabels(labels), value, timestampMs };
  }
  return undefined;
}

/** Labels in the slot's form. */
export function encodeLabels(labels: readonly (readonly [string, string])[]): Uint8Array {
  const end = Buffer.of(layout.LABEL_END);
  return Buffer.concat(
    labels.flatMap(([name, value]) => [Buffer.from(name), end, Buffer.from(value), end]),
  );
}

function decodeLabels(bytes: Uint8Array): [string, string][] {
  const texts: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(layout.LABEL_END, start);
    texts.push(Buffer.from(bytes.subarray(start, end)).toString('utf8'));
    start = end + 1;
  }
  return Array.from({ length: texts.length / 2 }, (_, index) => [
    texts[index * 2] as string,
    texts[index * 2 + 1] as string,
  ]);
}
