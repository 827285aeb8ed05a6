import { constants, createGzip } from 'node:zlib';
import { ByteWriter, type WritableMemory } from './byte-writer.js';
import { CHUNK_BYTES, type PageMemory } from './page-memory.js';

/** Room for zlib's output at a time: every time it is full, the thread's loop has to turn once. */
const OUTPUT_BYTES = 64 * 1024;

/** Pages repeat themselves: 13 MB become 0.76 MB in a fifth of the time that the default level takes to make 0.57 MB of them. */
const LEVEL = constants.Z_BEST_SPEED;

/** Packed bytes, and the room that they lie in, or have outgrown. */
export interface PackedChunk {
  readonly bytes: Uint8Array;
  readonly room: WritableMemory;
}

/**
 * Packs a page with gzip, chunk by chunk, on zlib's own threads: the calling thread goes on meanwhile.
 */
export class GzipChunks {
  private readonly memory: PageMemory;
  private readonly gzip = createGzip({ level: LEVEL, chunkSize: OUTPUT_BYTES });
  private readonly writer = new ByteWriter(0);
  /** Gone with the last chunk. */
  private room: WritableMemory | undefined;

  constructor(memory: PageMemory) {
    this.memory = memory;
    this.room = this.takeRoom();
    this.gzip.on('data', (packed: Uint8Array) => this.writer.bulk(packed));
    // Whoever writes gets the error as well.
    this.gzip.on('error', () => {});
  }

  /**
   * Packs bytes, which may change again when it is done.
   *
   * @returns A chunk when one is full, and with the last bytes in any case.
   */
  async pack(bytes: Uint8Array, isLast: boolean): Promise<PackedChunk | undefined> {
    await new Promise<void>((resolve, reject) => {
      if (isLast) this.gzip.once('end', resolve).once('error', reject).end(bytes);
      else this.gzip.write(bytes, (error) => (error == null ? resolve() : reject(error)));
    });
    if (!isLast && !this.writer.isFull) return undefined;
    const packed = { bytes: this.writer.written, room: this.room as WritableMemory };
    this.room = isLast ? undefined : this.takeRoom();
    return packed;
  }

  /** Lets go of zlib; of a page that is not packed to its end, too. */
  close(): void {
    this.gzip.destroy();
    if (this.room !== undefined) this.memory.giveBackChunk(this.room);
  }

  private takeRoom(): WritableMemory {
    const room = this.memory.takeChunk();
    this.writer.writeTo(room, CHUNK_BYTES);
    return room;
  }
}
