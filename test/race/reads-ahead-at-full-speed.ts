import { Pipeline, Registry } from '@offloop/core';
import { HttpMetrics } from '@offloop/core/adapter';
import { AheadReader } from '@offloop/core/engine';
import { tellBuffer } from './full-speed-thread.js';

/** Program of a thread that records, drains and reads ahead as fast as it can, a batch a round, until it is terminated. */
const ROUTES = 20;
/** Ahead, of each batch. */
const READINGS = 100;

const pipeline = new Pipeline();
pipeline.configure({ ring: { capacityRecords: 4096 } });
const http = new HttpMetrics(pipeline, new Registry(pipeline));
const { segment } = pipeline.producer;
const ahead = new AheadReader(segment);
const ids = Array.from({ length: ROUTES }, (_, index) =>
  http.seriesIdOf('GET', `/${index}`, '200'),
);
tellBuffer(segment.buffer);

for (;;) {
  for (const [index, id] of ids.entries()) {
    for (let count = 0; count <= index % 5; count++) http.record(id, 0.01 * (index + 1));
  }
  await pipeline.flush();
  // What main asks for changes meanwhile.
  for (let times = 0; times < READINGS; times++) ahead.read();
}
