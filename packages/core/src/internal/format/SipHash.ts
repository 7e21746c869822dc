/**
 * SipHash-1-3 with an all-zero key: the hash of the bloom filters.
 *
 * 64-bit words are kept as two 32-bit halves, because BigInt arithmetic costs
 * ten times as much. The result is left in two fields of the hasher for the
 * same reason: nothing is allocated per key.
 */

export class SipHash {
  /** Bits 0 to 31 of the last hash, unsigned. */
  low = 0
  /** Bits 32 to 63 of the last hash, unsigned. */
  high = 0

  /** Hashes `bytes[start, end)` into `low` and `high`. */
  hash(bytes: Uint8Array, start: number, end: number): void {
    // The key is zero, so the state starts as the bare constants.
    let v0h = 0x736f6d65
    let v0l = 0x70736575
    let v1h = 0x646f7261
    let v1l = 0x6e646f6d
    let v2h = 0x6c796765
    let v2l = 0x6e657261
    let v3h = 0x74656462
    let v3l = 0x79746573

    const length = end - start
    const wholeWords = length >>> 3
    let at = start
    // One round per word; the last word holds the length and the bytes left
    // over. Then three rounds over zero words are exactly the finalization.
    for (let step = 0; step < wholeWords + 4; step++) {
      let ml = 0
      let mh = 0
      if (step < wholeWords) {
        ml = wordAt(bytes, at)
        mh = wordAt(bytes, at + 4)
        at += 8
      } else if (step === wholeWords) {
        mh = length << 24
        for (let shift = 0; at < end; at++, shift += 8) {
          if (shift < 32) ml |= (bytes[at] as number) << shift
          else mh |= (bytes[at] as number) << (shift - 32)
        }
      } else if (step === wholeWords + 1) {
        v2l ^= 0xff
      }
      v3l ^= ml
      v3h ^= mh

      let low = (v0l + v1l) | 0
      v0h = (v0h + v1h + (low >>> 0 < v1l >>> 0 ? 1 : 0)) | 0
      v0l = low
      low = (v2l + v3l) | 0
      v2h = (v2h + v3h + (low >>> 0 < v3l >>> 0 ? 1 : 0)) | 0
      v2l = low
      low = (v1l << 13) | (v1h >>> 19)
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
      v1l = low ^ v0l
      low = (v3l << 16) | (v3h >>> 16)
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
      v3l = low ^ v2l
      // A rotation by 32 is an exchange of the halves.
      low = v0l
      v0l = v0h
      v0h = low

      low = (v2l + v1l) | 0
      v2h = (v2h + v1h + (low >>> 0 < v1l >>> 0 ? 1 : 0)) | 0
      v2l = low
      low = (v0l + v3l) | 0
      v0h = (v0h + v3h + (low >>> 0 < v3l >>> 0 ? 1 : 0)) | 0
      v0l = low
      low = (v1l << 17) | (v1h >>> 15)
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
      v1l = low ^ v2l
      low = (v3l << 21) | (v3h >>> 11)
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
      v3l = low ^ v0l
      low = v2l
      v2l = v2h
      v2h = low

      v0l ^= ml
      v0h ^= mh
    }
    this.low = (v0l ^ v1l ^ v2l ^ v3l) >>> 0
    this.high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0
  }
}

/** Four bytes, little-endian, as an int32. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)
