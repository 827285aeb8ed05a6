import {
  Histogram,
  type Pipeline,
  type Registry,
  type ResolvedOptions,
  Summary,
} from '@offloop/core';
import { HttpFamilies, type HttpMetrics } from '@offloop/core/adapter';
import { requestBytes, responseBytes } from './body-sizes.js';
import type { EndedRequest } from './ended-request.js';
import { type LabelFunctions, RequestLabels } from './request-labels.js';
import {
  type RequestMeasure,
  RequestMeasures,
  type RequestMeasuresOptions,
} from './request-measures.js';
import { UpGauge } from './up-gauge.js';

/** What the options have in them that is no data. */
export interface RequestFunctions extends LabelFunctions {
  readonly leavesOut?: RequestMeasuresOptions['leavesOut'];
}

/** Metrics that presets show beside offloop's own. */
export interface PresetMetrics {
  /** Names of the gauge that is always 1, where `prometheus.includeUp` is on. Default `up`. */
  readonly upNames?: readonly string[] | undefined;
  /** Size of a request's body where nobody says how long it is. Default: it is not measured. */
  readonly unknownRequestBytes?: number | undefined;
  /** Bounds of the sizes of responses. Default: those of requests. */
  readonly responseSizeBuckets?: readonly number[] | undefined;
  /** Names of what the preset registers by itself when it starts. */
  readonly startedNames?: readonly string[] | undefined;
  /** Summaries of durations, each with one of the names. */
  readonly summary?:
    | {
        readonly names: readonly string[];
        readonly percentiles: readonly number[];
        readonly maxAgeSeconds?: number | undefined;
        readonly ageBuckets?: number | undefined;
      }
    | undefined;
}

const MS_PER_SECOND = 1_000;

/** Whether the requests are shown under other labels than method, route and status_code. */
export function isRelabelled(
  { labelNames, customLabels }: ResolvedOptions,
  { routeOf, statusOf, methodOf, transform }: RequestFunctions,
): boolean {
  return (
    labelNames.method !== 'method' ||
    labelNames.route !== 'route' ||
    labelNames.statusCode !== 'status_code' ||
    Object.keys(customLabels).length > 0 ||
    [routeOf, statusOf, methodOf, transform].some((each) => each !== undefined)
  );
}

/** Names of all metrics that these options ask for beyond the middleware's own three. */
export function extraNames(options: ResolvedOptions, preset: PresetMetrics): readonly string[] {
  const { metricNames, http } = options;
  return [
    ...metricNames.errors,
    ...(http.sizes ? [...metricNames.requestSize, ...metricNames.responseSize] : []),
    ...(http.timeToFirstByte ? metricNames.timeToFirstByte : []),
    ...(preset.summary?.names ?? []),
    ...upNamesOf(options, preset),
    ...(preset.startedNames ?? []),
  ];
}

/**
 * What these options measure of requests beyond the middleware's own three metrics; `undefined` where that is nothing.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG`, `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`
 */
export function createRequestExtras(
  parts: {
    readonly pipeline: Pipeline;
    readonly register: Registry;
    /** The middleware's own, which snapshots read. */
    readonly http: HttpMetrics;
  },
  functions: RequestFunctions,
  preset: PresetMetrics,
): RequestMeasures | undefined {
  const { pipeline, register } = parts;
  const { options } = pipeline;
  const { http, metricNames } = options;
  const labels = new RequestLabels(options, functions);
  const measures: RequestMeasure[] = [];
  const common = { labelNames: labels.names, registers: [register] };
  const histograms = (names: readonly string[], help: string, buckets: readonly number[]) =>
    names.map((name) => new Histogram({ name, help, buckets, ...common }).family);

  if (isRelabelled(options, functions)) {
    const { requests, duration } = metricNames;
    const families = new HttpFamilies(pipeline, register, {
      names: { requests, duration },
      labelNames: labels.names,
      onReset: () => parts.http.reset(),
    });
    measures.push({ families: [families.duration], measure: secondsOf });
  }
  if (preset.summary !== undefined) {
    const { names, percentiles, maxAgeSeconds, ageBuckets } = preset.summary;
    const help = 'Quantiles of the duration of HTTP requests in seconds.';
    const age = {
      ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
      ...(ageBuckets === undefined ? {} : { ageBuckets }),
    };
    const families = names.map(
      (name) => new Summary({ name, help, percentiles, ...age, ...common }).family,
    );
    measures.push({ families, measure: secondsOf });
  }
  if (http.sizes) {
    const bounds = http.sizeBucketsBytes;
    const requests = histograms(
      metricNames.requestSize,
      'Size of HTTP request bodies in bytes.',
      bounds,
    );
    const responses = histograms(
      metricNames.responseSize,
      'Size of HTTP response bodies in bytes.',
      preset.responseSizeBuckets ?? bounds,
    );
    const { unknownRequestBytes } = preset;
    measures.push({
      families: requests,
      measure: (ended) => requestBytes(ended) ?? unknownRequestBytes,
    });
    measures.push({ families: responses, measure: responseBytes });
  }
  if (http.timeToFirstByte) {
    const families = histograms(
      metricNames.timeToFirstByte,
      'Time to the head of HTTP responses in seconds.',
      http.bucketsMs.map((bound) => bound / MS_PER_SECOND),
    );
    measures.push({ families, measure: headSecondsOf });
  }
  for (const name of upNamesOf(options, preset)) new UpGauge(name, register);
  if (measures.length === 0 && functions.leavesOut === undefined) return undefined;
  return new RequestMeasures({
    labels,
    measures,
    recorder: pipeline.producer.recorder,
    needsSentBytes: http.sizes,
    needsHead: http.timeToFirstByte,
    leavesOut: functions.leavesOut,
  });
}

function upNamesOf({ prometheus }: ResolvedOptions, preset: PresetMetrics): readonly string[] {
  return prometheus.includeUp ? (preset.upNames ?? ['up']) : [];
}

function secondsOf({ durationSeconds }: EndedRequest): number {
  return durationSeconds;
}

function headSecondsOf({ begun, startedMs }: EndedRequest): number | undefined {
  if (begun === undefined || begun.headMs < 0) return undefined;
  return Math.max(0, begun.headMs - startedMs) / MS_PER_SECOND;
}
