/** One figure of this moment. */
export interface Measurement {
  /** What is measured, such as `pool.connections`. */
  readonly name: string;
  readonly value: number;
  /** What it is measured of. Few values only: each is a series of its own wherever it is kept. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Figures of a room, read only when somebody looks; every provider that extends this class is asked.
 *
 * A room knows its figures and not what becomes of them: metrics, a page, nothing.
 *
 * @example
 * @Injectable()
 * class QueueMeasurements extends MeasurementSource {
 *   constructor(private readonly queue: Queue) { super(); }
 *   override *measure() { yield { name: 'queue.waiting', value: this.queue.length }; }
 * }
 */
export abstract class MeasurementSource {
  /** What is to be seen now; it asks nobody and waits for nothing. */
  abstract measure(): Iterable<Measurement>;
}
