import type { ContentEncoding } from './content-encoding.js';
import { DEFAULT_ESCAPING, ESCAPING_SCHEMES, type EscapingScheme } from './name-escaping.js';
import { OPEN_METRICS_CONTENT_TYPE } from './open-metrics-format.js';
import { PROTOBUF_CONTENT_TYPE } from './protobuf-format.js';
import type { ExpositionFormat } from './render.js';
import { TEXT_1_CONTENT_TYPE, TEXT_CONTENT_TYPE } from './text-format.js';

/** A format, how names are written in it, and the content type under which it goes out. */
export interface OfferedFormat {
  readonly format: ExpositionFormat;
  readonly escaping: EscapingScheme;
  readonly contentType: string;
}

interface Offer extends Omit<OfferedFormat, 'escaping'> {
  readonly type: string;
  readonly subtype: string;
  /** What an element may say of it beside the type. One that says something else means another format. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Whether only who names its parameters gets it. Default `false`. */
  readonly isNamedOnly?: boolean;
}

const TEXT: Offer = {
  format: 'text',
  contentType: TEXT_CONTENT_TYPE,
  type: 'text',
  subtype: 'plain',
  parameters: { version: '0.0.4' },
};

/** In order of preference where a client has none; text first, as browsers and curl ask for anything, and protobuf last, as people cannot read it. */
const OFFERS: readonly Offer[] = [
  TEXT,
  {
    format: 'text',
    contentType: TEXT_1_CONTENT_TYPE,
    type: 'text',
    subtype: 'plain',
    parameters: { version: '1.0.0' },
    // Others know 0.0.4, and some of them ask for anything before what they know.
    isNamedOnly: true,
  },
  {
    format: 'openMetrics',
    contentType: OPEN_METRICS_CONTENT_TYPE,
    type: 'application',
    subtype: 'openmetrics-text',
    parameters: { version: '1.0.0' },
  },
  {
    // The draft, which is all that older servers of Prometheus 2 ask for; what is written here is the same in both.
    format: 'openMetrics',
    contentType: OPEN_METRICS_CONTENT_TYPE.replace('1.0.0', '0.0.1'),
    type: 'application',
    subtype: 'openmetrics-text',
    parameters: { version: '0.0.1' },
  },
  {
    format: 'protobuf',
    contentType: PROTOBUF_CONTENT_TYPE,
    type: 'application',
    subtype: 'vnd.google.protobuf',
    parameters: { proto: 'io.prometheus.client.MetricFamily', encoding: 'delimited' },
  },
];

/** No scraper's header is a tenth as long. A longer one counts as absent, so that nobody's header costs the loop more than a moment. */
const HEADER_LENGTH_MAX = 8_192;

/** Up to a comma, or up to a semicolon, that is not within quotes. */
const ELEMENTS = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g;
const PARAMETERS = /(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/g;

/** RFC 9110's, and a bare `.2`, which Java's client sends. */
const QUALITY = /^(?:0(?:\.\d*)?|\.\d+|1(?:\.0*)?)$/;

interface Element {
  /** Lower case. */
  readonly value: string;
  readonly quality: number;
  /** All but the quality. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** How well an element names an offer: by all its parameters, by its type, by `type/*`, by any type. */
const BY_PARAMETERS = 3;
const BY_TYPE = 2;
const BY_MAIN_TYPE = 1;
const BY_ANYTHING = 0;

/**
 * Picks the format that a client likes best.
 *
 * Each format has the quality of the element that names it most closely (RFC 9110, 12.5.1). The highest wins; among equals the one that
 * is named more closely, then the one that is named first. Where nothing that is offered is wanted, or the header says
 * nothing that can be read, it is Prometheus text 0.0.4, with its full content type.
 *
 * Names are escaped as the element asks by `escaping`, and then the content type says so; else by underscores.
 *
 * @param accept The request's Accept header.
 */
export function negotiateFormat(accept: string | undefined): OfferedFormat {
  const elements = parseElements(accept);
  let best: { offer: Offer; quality: number; closeness: number; position: number } | undefined;
  for (const offer of OFFERS) {
    let named: { quality: number; closeness: number; position: number } | undefined;
    for (const [position, element] of elements.entries()) {
      const closeness = closenessOf(element, offer);
      if (closeness === undefined || (named !== undefined && closeness <= named.closeness))
        continue;
      named = { quality: element.quality, closeness, position };
    }
    if (named === undefined || named.quality === 0) continue;
    if (best === undefined || isPreferred(named, best)) best = { offer, ...named };
  }
  const { format, contentType } = best?.offer ?? TEXT;
  const asked = best === undefined ? undefined : escapingOf(elements[best.position]);
  const escaping = asked ?? DEFAULT_ESCAPING;
  // Where nobody asked, the content type is the one that all scrapers know; 1.0.0 never goes without.
  const isNamed = asked !== undefined || contentType === TEXT_1_CONTENT_TYPE;
  return {
    format,
    escaping,
    contentType: isNamed ? `${contentType}; escaping=${escaping}` : contentType,
  };
}

/**
 * Whether a client takes gzip, and likes it no less than the page as it is.
 *
 * @param acceptEncoding The request's Accept-Encoding header.
 */
export function negotiateEncoding(acceptEncoding: string | undefined): ContentEncoding {
  const elements = parseElements(acceptEncoding);
  const qualityOf = (...names: readonly string[]) =>
    elements.find(({ value }) => names.includes(value))?.quality;
  // x-gzip is the same by RFC 9110, 8.4.1.3.
  const gzip = qualityOf('gzip', 'x-gzip') ?? qualityOf('*') ?? 0;
  return gzip > 0 && gzip >= (qualityOf('identity') ?? 0) ? 'gzip' : 'identity';
}

/** What an element asks for; a scheme that is not known counts as absent. */
function escapingOf(element: Element | undefined): EscapingScheme | undefined {
  const asked = element?.parameters.get('escaping');
  return ESCAPING_SCHEMES.find((scheme) => scheme === asked);
}

function isPreferred(
  one: { quality: number; closeness: number; position: number },
  other: { quality: number; closeness: number; position: number },
): boolean {
  if (one.quality !== other.quality) return one.quality > other.quality;
  if (one.closeness !== other.closeness) return one.closeness > other.closeness;
  return one.position < other.position;
}

function closenessOf({ value, parameters }: Element, offer: Offer): number | undefined {
  if (value === `${offer.type}/${offer.subtype}`) {
    let closeness = BY_PARAMETERS;
    for (const [name, expected] of Object.entries(offer.parameters)) {
      const given = parameters.get(name);
      if (given === undefined) closeness = BY_TYPE;
      else if (given !== expected) return undefined;
    }
    return offer.isNamedOnly && closeness !== BY_PARAMETERS ? undefined : closeness;
  }
  if (offer.isNamedOnly) return undefined;
  if (value === `${offer.type}/*`) return BY_MAIN_TYPE;
  return value === '*/*' || value === '*' ? BY_ANYTHING : undefined;
}

/** Elements of a list with their qualities. One whose quality cannot be read is left out: it says nothing that can be relied on. */
function parseElements(header: string | undefined): Element[] {
  if (header === undefined || header.length > HEADER_LENGTH_MAX) return [];
  const elements: Element[] = [];
  for (const [text] of header.matchAll(ELEMENTS)) {
    const [value = '', ...parameters] = text.match(PARAMETERS) ?? [];
    let quality = '1';
    const others = new Map<string, string>();
    for (const parameter of parameters) {
      const equals = parameter.indexOf('=');
      if (equals === -1) continue;
      const name = parameter.slice(0, equals).trim().toLowerCase();
      const content = unquoted(parameter.slice(equals + 1).trim());
      if (name === 'q') quality = content;
      else others.set(name, content);
    }
    if (!QUALITY.test(quality)) continue;
    const type = value.trim().toLowerCase();
    elements.push({ value: type, quality: Number(quality), parameters: others });
  }
  return elements;
}

function unquoted(text: string): string {
  const quoted = /^"(.*)"$/s.exec(text);
  return quoted === null ? text : (quoted[1] as string).replace(/\\(.)/gs, '$1');
}
