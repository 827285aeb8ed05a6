import type { Pipeline } from '../engine/pipeline.js';
import type { ContentEncoding } from '../exposition/content-encoding.js';
import type { DefaultLabels } from '../exposition/default-labels.js';
import type { ForeignFamily } from '../exposition/foreign-family.js';
import { OPEN_METRICS_END } from '../exposition/open-metrics-format.js';
import type { ExpositionFormat, Page } from '../exposition/render.js';

/** How a page is written and packed. */
export interface PageForm {
  readonly format: ExpositionFormat;
  readonly encoding: ContentEncoding;
}

/** What a registry's own page shows, and how. */
export interface RegistryPage extends PageForm {
  /** Catalog ids of the registry's metrics, by the pipeline that has their values. */
  readonly own: ReadonlyMap<Pipeline, readonly number[]>;
  readonly foreign: readonly ForeignFamily[];
  readonly defaultLabels: DefaultLabels;
  /** Renders foreign families where there are no others. */
  readonly home: Pipeline;
}

/** Renders a registry's metrics: each pipeline its own, the last one the foreign ones as well. Several pipelines' pages are not packed. */
export async function renderRegistry(
  page: RegistryPage,
): Promise<Pick<Page, 'bytes' | 'encoding'>> {
  const { own, foreign, defaultLabels, format, encoding, home } = page;
  if (own.size === 0 && foreign.length === 0) {
    // An empty registry lays no memory out.
    return {
      bytes: bytesOf(format === 'openMetrics' ? OPEN_METRICS_END : ''),
      encoding: 'identity',
    };
  }
  const parts = own.size === 0 ? [[home, []] as const] : [...own];
  const pages: string[] = [];
  for (const [index, [pipeline, families]] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const part = await pipeline.render({
      families,
      foreign: isLast ? foreign : [],
      includePipeline: false,
      defaultLabels,
      format,
      encoding: parts.length === 1 ? encoding : 'identity',
    });
    if (parts.length === 1) return part;
    const text = Buffer.from(part.bytes).toString('utf8');
    pages.push(isLast ? text : withoutEnd(text));
  }
  return { bytes: bytesOf(pages.join(format === 'openMetrics' ? '' : '\n')), encoding: 'identity' };
}

/** A page without OpenMetrics' last line, where it has one. */
export function withoutEnd(page: string): string {
  return page.endsWith(OPEN_METRICS_END) ? page.slice(0, -OPEN_METRICS_END.length) : page;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text));
}
