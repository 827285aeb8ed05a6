import type { Segment } from '../layout/segment.js';
import { capture } from './capture.js';
import { type ContentEncoding, compress } from './content-encoding.js';
import { type DefaultLabels, withDefaultLabels } from './default-labels.js';
import { withEscapedNames } from './escaped-names.js';
import type { ForeignFamily } from './foreign-family.js';
import { DEFAULT_ESCAPING, type EscapingScheme } from './name-escaping.js';
import { renderOpenMetrics } from './open-metrics-format.js';
import { PIPELINE_FAMILIES } from './pipeline-families.js';
import { renderProtobuf } from './protobuf-format.js';
import { renderText } from './text-format.js';

/** The formats that a page can have. */
export type ExpositionFormat = 'text' | 'openMetrics' | 'protobuf';

const RENDERERS = {
  text: renderText,
  openMetrics: renderOpenMetrics,
  protobuf: renderProtobuf,
} as const;

/** What a page shows. Plain data, as it crosses threads. */
export interface ExpositionRequest {
  /** Families by id, in the page's order. */
  readonly families: readonly number[];
  /** Families whose values are not in memory, after those that are. Default: none. */
  readonly foreign?: readonly ForeignFamily[];
  /** Whether the pipeline's own `offloop_*` families follow them: all, none, or those of these names. */
  readonly includePipeline: boolean | readonly string[];
  /** Default `text`: Prometheus text 0.0.4. */
  readonly format?: ExpositionFormat;
  /** How names beyond the legacy characters are written. Default `underscores`. */
  readonly escaping?: EscapingScheme;
  /** Added to every sample of these families, not to the pipeline's own. Default: none. */
  readonly defaultLabels?: DefaultLabels;
  /** Default `identity`. A small page is never packed. */
  readonly encoding?: ContentEncoding;
}

/** A finished page. */
export interface Page {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly encoding: ContentEncoding;
  /** Time it took to render, on whichever thread; packing is not in it. */
  readonly renderMs: number;
}

/**
 * Renders a page from shared memory alone, on any thread, as of one batch. Takes time in proportion to the series. Not packed yet.
 */
export function renderPage(segment: Segment, request: ExpositionRequest): Page {
  const startedMs = performance.now();
  const {
    includePipeline,
    format = 'text',
    defaultLabels = [],
    foreign = [],
    escaping: scheme = DEFAULT_ESCAPING,
  } = request;
  const pipelineFamilies = PIPELINE_FAMILIES.filter(({ name }) =>
    typeof includePipeline === 'boolean' ? includePipeline : includePipeline.includes(name),
  );
  const needs = { sketches: format === 'protobuf', exemplars: format !== 'text' };
  // Before the default labels, which give way to labels that have come to be called like them.
  const escaped = withEscapedNames(capture(segment, request.families, needs), {
    scheme,
    reserved: [...pipelineFamilies, ...foreign].map(({ name }) => name),
  });
  const captured = withDefaultLabels({ ...escaped, foreign }, defaultLabels);
  const bytes = RENDERERS[format](captured, pipelineFamilies);
  return { bytes, encoding: 'identity', renderMs: performance.now() - startedMs };
}

/** Packs a rendered page as its request asks for; the calling thread is not held meanwhile. */
export async function packPage(page: Page, { encoding }: ExpositionRequest): Promise<Page> {
  if (encoding !== 'gzip') return page;
  return { ...page, ...(await compress(page.bytes)) };
}
