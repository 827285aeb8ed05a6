import { OPTION_RULES } from '@offloop/core/adapter';
import {
  FamilyKind,
  FamilyRole,
  OpenMetricsType,
  SERIES_CREATED_MS,
  SERIES_ENTRY_CELLS,
  SERIES_LABELS,
} from '@offloop/core/internal/layout/catalog.js';
import {
  familyCount,
  findFamily,
  readFamily,
  seriesIdentity,
  seriesLabels,
  seriesOf,
} from '@offloop/core/internal/layout/catalog-reader.js';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import { expect } from 'chai';
import { refusalOf } from '../refusal.js';
import { SegmentRig } from '../segment-rig.js';

describe('catalog', () => {
  it('tells series with the same id apart by when they began, in whole numbers', () => {
    const rig = new SegmentRig();
    const { segment } = rig;
    const series = rig.addSeries(rig.addFamily());
    const began = (createdMs: number, id = series) => {
      segment.seriesDoubles[(id * SERIES_ENTRY_CELLS + SERIES_CREATED_MS) / 2] = createdMs;
      return seriesIdentity(segment, id);
    };
    const now = Date.now();
    const identities = [0, 1, -1, now, now + 1, 2 ** 32 - 2].map((ms) => began(ms));
    identities.push(began(now, series + 1));
    expect(new Set(identities).size).to.equal(identities.length);
    for (const identity of identities) expect(Number.isSafeInteger(identity)).to.equal(true);
    // The id has as much room as there are ids.
    expect(OPTION_RULES['memory.maxSeries']?.rule).to.include(String(2 ** 20));
    expect(began(2 ** 32 - 1, 0) + 2 ** 20 - 1).to.be.at.most(Number.MAX_SAFE_INTEGER);
  });

  it('gives another thread’s view every family as it was written', () => {
    const rig = new SegmentRig();
    const histogram = rig.addFamily({
      kind: FamilyKind.histogram,
      role: FamilyRole.httpDuration,
      name: 'sizes',
      labelNames: ['a', 'b'],
      bounds: [0.1, 1e300],
      hasSketch: true,
    });
    const counter = rig.addFamily({
      kind: FamilyKind.observationCounter,
      name: 'sizes_total',
      source: histogram,
    });
    const segment = Segment.attach(rig.segment.buffer);
    expect(familyCount(segment)).to.equal(2);
    expect(readFamily(segment, histogram)).to.deep.equal({
      id: histogram,
      kind: FamilyKind.histogram,
      role: FamilyRole.httpDuration,
      name: 'sizes',
      help: 'A family.',
      labelNames: ['a', 'b'],
      bounds: [0.1, 1e300],
      quantiles: [],
      sketchCells: 834,
      isNative: true,
      openMetricsType: OpenMetricsType.byKind,
      window: undefined,
      reservoir: undefined,
      seriesFamily: histogram,
    });
    expect(readFamily(segment, counter).seriesFamily).to.equal(histogram);
    expect(findFamily(segment, FamilyRole.httpDuration)?.id).to.equal(histogram);
    expect(findFamily(segment, FamilyRole.loopLag)).to.equal(undefined);
  });

  it('lists a family’s series in order of creation, whatever other families did meanwhile', () => {
    const rig = new SegmentRig();
    const families = [rig.addFamily(), rig.addFamily(), rig.addFamily()];
    const added: number[][] = [[], [], []];
    for (const [step, which] of [0, 1, 0, 2, 2, 0, 1, 0].entries()) {
      added[which]?.push(rig.addSeries(families[which] as number, `step="${step}"`));
    }
    for (const [which, family] of families.entries()) {
      expect([...seriesOf(rig.segment, family)]).to.deep.equal(added[which]);
    }
    expect(seriesLabels(rig.segment, added[2]?.[1] as number)).to.equal('step="4"');
  });

  it('shows no series that is not linked yet, and no series of a new family', () => {
    const rig = new SegmentRig();
    const family = rig.addFamily();
    rig.catalog.addSeries(family, 'x="1"');
    expect([...seriesOf(rig.segment, family)]).to.deep.equal([]);
  });

  it('takes the last family and refuses the one after it, by name', () => {
    const rig = new SegmentRig({ sizes: { maxFamilies: 2 } });
    rig.addFamily();
    rig.addFamily();
    expect(refusalOf('OFFLOOP_ERR_FAMILIES_FULL', () => rig.addFamily({ name: 'third' }))).to.equal(
      'memory.maxFamilies allows 2 metrics, got one more: third',
    );
    expect(familyCount(rig.segment)).to.equal(2);
  });

  it('takes a series that fills the catalog to the last byte, and none after it', () => {
    const rig = new SegmentRig({ sizes: { catalogBytes: 1024 } });
    const family = rig.addFamily();
    const first = rig.addSeries(family, 'x');
    const used = rig.segment.series[first * SERIES_ENTRY_CELLS + SERIES_LABELS] as number;
    // Places for labels are a multiple of 16 bytes long.
    const rest = Math.floor((1024 - used - 16) / 16) * 16;
    expect(rig.catalog.addSeries(family, 'y'.repeat(rest + 1))).to.equal(undefined);
    const filling = rig.addSeries(family, 'y'.repeat(rest));
    expect(seriesLabels(rig.segment, filling)).to.have.length(rest);
    expect(rig.catalog.addSeries(family, 'z')).to.equal(undefined);
    expect(rig.catalog.addSeries(family, '')).to.be.a('number');
  });

  it('refuses a family whose texts do not fit, says how much they need, and takes a smaller one', () => {
    const rig = new SegmentRig({ sizes: { catalogBytes: 1024 } });
    const message = refusalOf('OFFLOOP_ERR_CATALOG_FULL', () =>
      rig.addFamily({ name: 'n'.repeat(1024) }),
    );
    expect(message).to.match(
      /^memory\.catalogBytes allows 1024 bytes, of which 0 are used; n+ needs 10\d\d more$/,
    );
    rig.addFamily({ name: 'small' });
  });

  it('counts bytes and not characters', () => {
    const rig = new SegmentRig();
    const family = rig.addFamily();
    const labels = 'route="/äöü/🚀"';
    expect(seriesLabels(rig.segment, rig.addSeries(family, labels))).to.equal(labels);
  });
});
