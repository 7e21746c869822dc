/**
 * The scalars of FlatBuffers: width, default, reading and writing. The position
 * that they are given was checked, and is aligned.
 */
import type { Builder, Reader } from "./FlatBuffer.ts"
import type { ScalarType } from "./FlatBufferSchema.ts"

export const scalars: {
  readonly [Type in ScalarType]: {
    readonly size: 1 | 2 | 4 | 8
    readonly zero: unknown
    readonly read: (reader: Reader, position: number, part: string) => unknown
    // A method, so that each scalar may say the type that its schema promises.
    write(builder: Builder, position: number, value: unknown): void
  }
} = {
  bool: {
    size: 1,
    zero: false,
    read: (reader, position, part) => reader.bool(part, position),
    write: (builder, position, value: boolean) => builder.u8(position, value ? 1 : 0)
  },
  u8: {
    size: 1,
    zero: 0,
    read: (reader, position) => reader.view.getUint8(position),
    write: (builder, position, value: number) => builder.u8(position, value)
  },
  i8: {
    size: 1,
    zero: 0,
    read: (reader, position) => reader.view.getInt8(position),
    write: (builder, position, value: number) => builder.u8(position, value)
  },
  u16: {
    size: 2,
    zero: 0,
    read: (reader, position) => reader.view.getUint16(position, true),
    write: (builder, position, value: number) => builder.u16(position, value)
  },
  i32: {
    size: 4,
    zero: 0,
    read: (reader, position) => reader.view.getInt32(position, true),
    write: (builder, position, value: number) => builder.u32(position, value)
  },
  u32: {
    size: 4,
    zero: 0,
    read: (reader, position) => reader.view.getUint32(position, true),
    write: (builder, position, value: number) => builder.u32(position, value)
  },
  u64: {
    size: 8,
    zero: 0,
    read: (reader, position, part) => reader.u64(part, position),
    write: (builder, position, value: number) => builder.u64(position, value)
  },
  i64: {
    size: 8,
    zero: 0n,
    read: (reader, position) => reader.view.getBigInt64(position, true),
    write: (builder, position, value: bigint) => builder.raw64(position, value)
  },
  raw64: {
    size: 8,
    zero: 0n,
    read: (reader, position) => reader.view.getBigUint64(position, true),
    write: (builder, position, value: bigint) => builder.raw64(position, value)
  }
}
