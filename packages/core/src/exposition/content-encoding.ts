/** How a page's bytes are packed for the way. */
export type ContentEncoding = 'identity' | 'gzip';

/** Below it a page fits into one packet as it is, and packing takes longer than sending. */
export const COMPRESSED_BYTES_MIN = 1_024;
