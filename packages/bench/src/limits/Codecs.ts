/** Compressing blocks of 50 % compressible bytes with what Node brings along. */
import * as zlib from "node:zlib"
import * as Random from "../Random.ts"
import * as Values from "../Values.ts"
import type { Limit } from "./Limit.ts"
import { keep } from "./Limit.ts"

const megabyte = 1e6
const bytesPerRun = 2 << 20

interface Codec {
  readonly name: string
  readonly compress: (block: Uint8Array) => Uint8Array
  readonly decompress: (block: Uint8Array) => Uint8Array
}

const zstd = (level: number): Codec => {
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: level }
  return {
    name: `zstd, level ${level}`,
    compress: (block) => zlib.zstdCompressSync(block, { params }),
    decompress: (block) => zlib.zstdDecompressSync(block)
  }
}

const codecs: ReadonlyArray<Codec> = [
  zstd(1),
  zstd(3),
  {
    name: "zlib, level 1",
    compress: (block) => zlib.deflateSync(block, { level: 1 }),
    decompress: (block) => zlib.inflateSync(block)
  }
]

export const limits = (): ReadonlyArray<Limit> =>
  [4096, 65_536].flatMap((blockBytes) => {
    const random = Random.make(99)
    const value = Values.make(blockBytes, 0.5)
    const blocks = Array.from({ length: bytesPerRun / blockBytes }, () => value(random))
    const over = (each: ReadonlyArray<Uint8Array>, work: (block: Uint8Array) => Uint8Array) => (): number => {
      for (const block of each) keep(work(block).length)
      return bytesPerRun / megabyte
    }
    return [
      {
        title: `codec: compress blocks of ${blockBytes} B`,
        unit: "MB",
        variants: codecs.map(({ compress, name }) => ({ name, run: over(blocks, compress) }))
      },
      {
        title: `codec: decompress blocks of ${blockBytes} B`,
        unit: "MB",
        variants: codecs.map(({ compress, decompress, name }) => ({
          name,
          run: over(blocks.map(compress), decompress)
        }))
      }
    ]
  })
