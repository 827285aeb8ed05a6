/** Classes of close codes, as the label `class` names them. */
export type CloseClass =
  | 'normal'
  | 'going_away'
  | 'no_status'
  | 'abnormal'
  | 'protocol'
  | 'policy'
  | 'too_large'
  | 'server'
  | 'library'
  | 'application'
  | 'other';

const CLASSES: Readonly<Record<number, CloseClass>> = {
  1000: 'normal',
  1001: 'going_away',
  1002: 'protocol',
  1003: 'protocol',
  1005: 'no_status',
  1006: 'abnormal',
  1007: 'protocol',
  1008: 'policy',
  1009: 'too_large',
  1010: 'protocol',
  1011: 'server',
  1012: 'server',
  1013: 'server',
  1014: 'server',
};

/** Of RFC 6455, section 7.4: few classes, as a client may send any code up to 4999. */
export function closeClassOf(code: unknown): CloseClass {
  if (typeof code !== 'number') return 'other';
  const known = CLASSES[code];
  if (known !== undefined) return known;
  if (code >= 3000 && code < 4000) return 'library';
  return code >= 4000 && code < 5000 ? 'application' : 'other';
}
