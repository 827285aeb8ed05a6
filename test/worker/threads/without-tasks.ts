/** A thread's file of something else. */
export const answer = 42;
