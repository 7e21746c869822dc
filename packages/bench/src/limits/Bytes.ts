/** Copying bytes, whole and in the pieces that an engine copies. */
import type { Limit } from "./Limit.ts"
import { keep } from "./Limit.ts"

const sourceBytes = 64 << 20
const blockBytes = 4096
const valueBytes = 100
const values = 200_000
const megabyte = 1e6

export const limits = (): ReadonlyArray<Limit> => {
  const source = Buffer.alloc(sourceBytes, 7)
  const target = Buffer.alloc(sourceBytes)
  return [
    {
      title: "memcpy",
      unit: "MB",
      variants: [
        {
          name: "set, 64 MiB",
          run: () => {
            target.set(source)
            return sourceBytes / megabyte
          }
        },
        {
          name: "set, 4 KiB",
          run: () => {
            for (let at = 0; at < sourceBytes; at += blockBytes) target.set(source.subarray(at, at + blockBytes), at)
            return sourceBytes / megabyte
          }
        },
        {
          name: "set, 100 B",
          run: eachValue((at) => target.set(source.subarray(at, at + valueBytes), at))
        },
        {
          name: "loop over bytes, 100 B",
          run: eachValue((at) => {
            for (let i = at; i < at + valueBytes; i++) target[i] = source[i] as number
          })
        },
        {
          name: "Buffer.from, 100 B (pooled)",
          run: eachValue((at) => keep(Buffer.from(source.subarray(at, at + valueBytes)).length))
        },
        {
          name: "new Uint8Array and set, 100 B",
          run: eachValue((at) => {
            const copy = new Uint8Array(valueBytes)
            copy.set(source.subarray(at, at + valueBytes))
            keep(copy.length)
          })
        }
      ]
    }
  ]
}

/** Copies value after value, each from its own place. */
const eachValue = (copy: (offset: number) => void) => (): number => {
  for (let i = 0, offset = 0; i < values; i++, offset += valueBytes) copy(offset)
  return (values * valueBytes) / megabyte
}
