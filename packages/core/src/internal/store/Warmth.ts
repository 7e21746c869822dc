/**
 * Whether the blocks that a merge comes by are being read, so that its output can take their place in the cache.
 *
 *     input    [used][used][    ][used] [    ][    ][    ][    ]
 *     share     1/8   ...        > 1/2           ...       < 1/2
 *     output   [   kept    ][   kept   ][     not kept        ]
 *
 * A merge enters blocks in the order of their keys, and writes about as many. So the share of the last eight,
 * the earlier the less, tells of the keys that are being written without a mark on each row. What is kept is
 * about what the inputs have in the cache already, and they are dead once the output is named.
 */

/** The weight of the last block. */
const weight = 1 / 8

export class Warmth {
  #share = 0

  /** A block is entered. */
  entered(isUsed: boolean): void {
    this.#share += ((isUsed ? 1 : 0) - this.#share) * weight
  }

  /** Whether most of the last blocks are being read. */
  get isWarm(): boolean {
    return this.#share >= 0.5
  }
}
