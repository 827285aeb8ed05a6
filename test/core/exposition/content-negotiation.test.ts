import { negotiateEncoding, negotiateFormat } from '@offloop/core/adapter';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const PROTOBUF =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const TEXT_1 = 'text/plain; version=1.0.0; charset=utf-8';
const OPEN_METRICS_DRAFT = 'application/openmetrics-text; version=0.0.1; charset=utf-8';

const FORMAT_OF: Readonly<Record<string, string>> = {
  [TEXT]: 'text',
  [TEXT_1]: 'text',
  [OPEN_METRICS]: 'openMetrics',
  [OPEN_METRICS_DRAFT]: 'openMetrics',
  [PROTOBUF]: 'protobuf',
};

/** Accept header, and the content type it gets. Those of Prometheus are what its scrape/scrape.go sends. */
const FORMATS: readonly (readonly [what: string, accept: string | undefined, type: string])[] = [
  [
    'Prometheus 2.42',
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    OPEN_METRICS,
  ],
  [
    'Prometheus 2.42 with native histograms',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    PROTOBUF,
  ],
  [
    'Prometheus 2.49 with native histograms',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=1',
    PROTOBUF,
  ],
  [
    'Prometheus 2.49, whose last quality is none',
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=2',
    OPEN_METRICS,
  ],
  [
    'Prometheus 2.55 with native histograms',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
    PROTOBUF,
  ],
  [
    'an older Prometheus 2',
    'application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    OPEN_METRICS_DRAFT,
  ],
  ['Prometheus 1', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', TEXT],
  [
    'Prometheus 3',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    `${OPEN_METRICS}; escaping=allow-utf-8`,
  ],
  [
    'Prometheus 3 with native histograms',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
    PROTOBUF,
  ],
  [
    'Prometheus 3.0 with native histograms',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;escaping=allow-utf-8;q=0.2,*/*;q=0.1',
    `${PROTOBUF}; escaping=allow-utf-8`,
  ],
  [
    'Prometheus 3 that is told to take protobuf after text',
    'text/plain;version=0.0.4;q=0.6,application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,*/*;q=0.4',
    TEXT,
  ],
  [
    'Prometheus 3 that is told to take protobuf only',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,*/*;q=0.5',
    PROTOBUF,
  ],
  [
    'Prometheus 3 that is told to take text only',
    'text/plain;version=0.0.4;escaping=allow-utf-8;q=0.6,*/*;q=0.5',
    `${TEXT}; escaping=allow-utf-8`,
  ],
  [
    'Prometheus 3 that is told to take text 1.0.0',
    'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5',
    `${TEXT_1}; escaping=allow-utf-8`,
  ],
  [
    'Prometheus 3 with legacy names',
    'application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,*/*;q=0.2',
    `${OPEN_METRICS}; escaping=underscores`,
  ],
  [
    'text 1.0.0 without a word on names',
    'text/plain;version=1.0.0',
    `${TEXT_1}; escaping=underscores`,
  ],
  ['names by values', 'text/plain;escaping=values', `${TEXT}; escaping=values`],
  [
    'names by dots, in capitals and quotes',
    'TEXT/PLAIN; Escaping="dots"',
    `${TEXT}; escaping=dots`,
  ],
  ['names by a scheme that is none', 'text/plain;escaping=rot13', TEXT],
  [
    'names for a format that is not the one it gets',
    'application/json;escaping=allow-utf-8,text/plain',
    TEXT,
  ],
  [
    'a browser',
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    TEXT,
  ],
  ['Java', 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', TEXT],
  ['curl', '*/*', TEXT],
  ['nothing', undefined, TEXT],
  ['an empty header', '', TEXT],
  ['nothing that is offered', 'application/json', TEXT],
  ['protobuf without its schema', 'application/vnd.google.protobuf;encoding=delimited', PROTOBUF],
  ['protobuf of any kind', 'application/vnd.google.protobuf', PROTOBUF],
  [
    'protobuf with blanks and quotes',
    'Application/Vnd.Google.Protobuf; Proto="io.prometheus.client.MetricFamily"; encoding = "delimited"',
    PROTOBUF,
  ],
  [
    'protobuf of another schema',
    'application/vnd.google.protobuf;proto=other.Message;encoding=delimited',
    TEXT,
  ],
  [
    'protobuf as text',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text',
    TEXT,
  ],
  [
    'protobuf as compact text before others',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text,application/openmetrics-text;q=0.1',
    OPEN_METRICS,
  ],
  ['protobuf refused', 'application/vnd.google.protobuf;q=0,application/*', OPEN_METRICS],
  ['protobuf and the rest alike', 'application/vnd.google.protobuf,*/*', PROTOBUF],
  ['text of a version that is not offered', 'text/plain;version=2.0.0', TEXT],
  ['any text', 'text/*', TEXT],
  ['any application', 'application/*', OPEN_METRICS],
  ['OpenMetrics of any version', 'application/openmetrics-text', OPEN_METRICS],
  ['OpenMetrics of another version', 'application/openmetrics-text;version=2.0.0', TEXT],
  ['other versions first', 'text/plain;version=9,application/openmetrics-text;q=0.1', OPEN_METRICS],
  ['OpenMetrics and the rest alike', 'application/openmetrics-text,*/*', OPEN_METRICS],
  ['the rest before OpenMetrics', '*/*,application/openmetrics-text;q=0.9', TEXT],
  ['two alike, in this order', 'text/plain, application/openmetrics-text', TEXT],
  ['two alike, in that order', 'application/openmetrics-text, text/plain', OPEN_METRICS],
  ['text refused', 'text/plain;q=0, */*', OPEN_METRICS],
  ['OpenMetrics refused', 'application/openmetrics-text;q=0, */*;q=0.1', TEXT],
  [
    'one version refused',
    'application/openmetrics-text;version=1.0.0;q=0.000, application/openmetrics-text',
    OPEN_METRICS_DRAFT,
  ],
  ['everything refused', '*/*;q=0', TEXT],
  ['everything refused by name', 'text/plain;q=0,application/openmetrics-text;q=0.0', TEXT],
  ['capitals', 'Application/OpenMetrics-Text; Version=1.0.0; Q=0.5', OPEN_METRICS],
  [
    'blanks',
    ' \t application/openmetrics-text ; version = 1.0.0 ; q = 0.5 , text/plain;q=0.4',
    OPEN_METRICS,
  ],
  ['quotes', 'application/openmetrics-text;version="1.0.0";x="a,b;q=0\\"";q="0.5"', OPEN_METRICS],
  ['small differences', 'text/plain;q=0.499,application/openmetrics-text;q=0.5', OPEN_METRICS],
  ['a quality that is none', 'application/openmetrics-text;q=high, text/plain;q=0.1', TEXT],
  ['a quality above 1', 'application/openmetrics-text;q=1.5, text/plain;q=0.1', TEXT],
  ['a quality below 0', 'application/openmetrics-text;q=-1', TEXT],
  ['a quality that is empty', 'application/openmetrics-text;q=', TEXT],
  ['an open quote', 'application/openmetrics-text;version="1.0.0', TEXT],
  ['commas and semicolons', ',;,=;q=0;,,', TEXT],
  ['a broken element before a good one', ';;;,application/openmetrics-text', OPEN_METRICS],
  ['what is no header', '\0\ud800 = "\\', TEXT],
  ['a huge header', `${'application/openmetrics-text,'.repeat(100_000)}x/y`, TEXT],
];

const ENCODINGS: readonly (readonly [accept: string | undefined, encoding: string])[] = [
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['gzip, deflate, br, zstd', 'gzip'],
  ['x-gzip', 'gzip'],
  ['GZIP;Q=0.1', 'gzip'],
  ['deflate, br', 'identity'],
  ['gzip;q=0', 'identity'],
  ['gzip;q=0, *', 'identity'],
  ['*', 'gzip'],
  ['*;q=0', 'identity'],
  ['identity', 'identity'],
  ['identity, *;q=0.5', 'identity'],
  ['identity;q=0.5, gzip;q=0.5', 'gzip'],
  ['identity;q=0.6, gzip;q=0.5', 'identity'],
  ['identity;q=0', 'identity'],
  ['gzip;q=x', 'identity'],
  ['gzipped', 'identity'],
  [`gzip,${'x'.repeat(10_000)}`, 'identity'],
];

describe('negotiateFormat', () => {
  for (const [what, accept, type] of FORMATS) {
    it(`answers ${what} with ${type}`, () => {
      const { format, escaping, contentType } = negotiateFormat(accept);
      expect(contentType).to.equal(type);
      const [plain = '', scheme = 'underscores'] = type.split('; escaping=');
      expect(format).to.equal(FORMAT_OF[plain]);
      expect(escaping).to.equal(scheme);
    });
  }

  it('takes no longer than it has to for headers made to be slow', () => {
    const startedMs = performance.now();
    for (const part of ['"', '"\\', ',', ';', '\\', 'a"', '=";', 'q=0,']) {
      const header = part.repeat(8_192 / part.length);
      negotiateFormat(header);
      negotiateEncoding(header);
    }
    expect(performance.now() - startedMs).to.be.lessThan(1_000);
  });

  it(`has an answer for anything, seed ${runSeed}`, () => {
    const random = new Random();
    const parts = [
      'text/plain',
      'application/openmetrics-text',
      'application/vnd.google.protobuf',
      '*/*',
      '*',
      'version=1.0.0',
      'q=0',
    ];
    parts.push(
      'encoding=delimited',
      'proto=x',
      ',',
      ',',
      ';',
      ';',
      '"',
      '\\',
      ' ',
      '=',
      'q=.',
      'q=1e999',
      '\0',
      '/',
    );
    for (let count = 0; count < 5_000; count++) {
      let header = '';
      for (let part = random.below(12); part > 0; part--)
        header += parts[random.below(parts.length)];
      const { contentType } = negotiateFormat(header);
      expect(Object.keys(FORMAT_OF)).to.include(contentType.split('; escaping=')[0]);
      expect(['identity', 'gzip']).to.include(negotiateEncoding(header));
    }
  });
});

describe('negotiateEncoding', () => {
  for (const [accept, encoding] of ENCODINGS) {
    it(`answers ${accept?.slice(0, 40)} with ${encoding}`, () => {
      expect(negotiateEncoding(accept)).to.equal(encoding);
    });
  }
});
