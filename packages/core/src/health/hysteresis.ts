/** What one look says: `between` is neither bad enough to raise an alarm nor good enough to end one. `unknown`: too little data to say. */
export type Verdict = 'unknown' | 'good' | 'between' | 'bad';

/** In the order of their numbers in memory. */
export const VERDICTS: readonly Verdict[] = ['unknown', 'good', 'between', 'bad'];

/** Of an alarm. */
export interface AlarmState {
  readonly isOn: boolean;
  /** Looks in a row that speak for a change. */
  readonly streak: number;
}

/** How many looks in a row it takes. */
export interface Patience {
  readonly enterAfter: number;
  readonly leaveAfter: number;
}

/**
 * What an alarm does at a look: it goes on at the last of so many bad ones in a row, and off at the last of so many that are not. A look in between
 * begins the count anew. What nobody can judge any more ends an alarm like what is good, and raises none.
 */
export function nextAlarm(state: AlarmState, verdict: Verdict, patience: Patience): AlarmState {
  const { isOn, streak } = state;
  const isForChange = isOn ? verdict === 'good' || verdict === 'unknown' : verdict === 'bad';
  if (!isForChange) return { isOn, streak: 0 };
  const needed = isOn ? patience.leaveAfter : patience.enterAfter;
  return streak + 1 >= needed ? { isOn: !isOn, streak: 0 } : { isOn, streak: streak + 1 };
}
