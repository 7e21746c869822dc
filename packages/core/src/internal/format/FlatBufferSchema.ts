/**
 * The words to say, as an Effect Schema, how a value lies in a FlatBuffers table.
 *
 *     const Checkpoint = Schema.Struct({
 *       manifestId: slot(1, U64),
 *       name: slot(6, Schema.UndefinedOr(Text))
 *     })
 *
 * - A `Struct` is a table. Each key has its slot; a key without one is a
 *   literal, the tag of a union member, and takes no byte.
 * - A scalar that equals its default, zero, is not written.
 * - A table, vector, string or union is required, as a key of a Struct is.
 * - `UndefinedOr` makes it optional; of a scalar it tells an absent one from zero.
 * - A `Union` of Structs, each with its {@link member} number, takes two slots,
 *   of which the key names the first.
 * - {@link mapped} gives a value another form than it has on the wire.
 *
 * Slot numbers are persistent: they are never changed and never used again.
 *
 * The schema is data. {@link "./FlatBufferCompiler.ts"} makes a reader and a
 * writer of it, once; nothing here runs while bytes are read.
 */
import * as Schema from "effect/Schema"

export type ScalarType = "bool" | "u8" | "i8" | "u16" | "i32" | "u32" | "u64" | "i64" | "raw64"

/** What a mapping answers for a wire value that it has no meaning for. */
export class Refused {
  readonly kind: "corrupt" | "unsupported"
  readonly expected: string
  readonly found: string

  constructor(kind: "corrupt" | "unsupported", expected: string, found: string | number) {
    this.kind = kind
    this.expected = expected
    this.found = String(found)
  }
}

/** The form on the wire. Typed where it is made, by {@link mapped}; a compiled schema passes values on unlooked at. */
export type Wire =
  | { readonly _tag: "Scalar"; readonly type: ScalarType }
  | { readonly _tag: "Bytes" }
  | { readonly _tag: "Text" }
  | { readonly _tag: "Member"; readonly type: number }
  | {
      readonly _tag: "Mapped"
      readonly wire: Schema.Constraint
      decode(wire: unknown): unknown
      encode(value: unknown): unknown
    }

declare module "effect/Schema" {
  namespace Annotations {
    interface Annotations {
      /** How the value lies in a FlatBuffer. */
      readonly flatBuffer?: Wire | undefined
      /** On a key: the slot of a FlatBuffers table. */
      readonly flatBufferSlot?: number | undefined
    }
  }
}

const scalar = (type: ScalarType): { readonly flatBuffer: Wire } => ({ flatBuffer: { _tag: "Scalar", type } })

const integer = (type: ScalarType, minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum })).annotate(scalar(type))

export const Bool = Schema.Boolean.annotate(scalar("bool"))
export const U8 = integer("u8", 0, 0xff)
export const I8 = integer("i8", -0x80, 0x7f)
export const U16 = integer("u16", 0, 0xffff)
export const I32 = integer("i32", -0x8000_0000, 0x7fff_ffff)
export const U32 = integer("u32", 0, 0xffff_ffff)

/** 64 bits that count something: a JavaScript number; a greater one is corrupt, never rounded. */
export const U64 = integer("u64", 0, Number.MAX_SAFE_INTEGER)

/** 64 bits that count nothing: half of a ULID or UUID. */
export const RawU64 = Schema.BigInt.check(
  Schema.isBetweenBigInt({ minimum: 0n, maximum: 0xffff_ffff_ffff_ffffn })
).annotate(scalar("raw64"))

/** A time, or its absence. */
export const I64 = Schema.BigInt.check(
  Schema.isBetweenBigInt({ minimum: -0x8000_0000_0000_0000n, maximum: 0x7fff_ffff_ffff_ffffn })
).annotate(scalar("i64"))

export const Bytes = Schema.Uint8Array.annotate({ flatBuffer: { _tag: "Bytes" } })
/** Text that UTF-8 can hold: half of a surrogate pair would be written as something else. */
export const Text = Schema.String.check(
  Schema.makeFilter((text) => !/\p{Surrogate}/u.test(text) || "no lone surrogate")
).annotate({ flatBuffer: { _tag: "Text" } })

/** The slot of a key; of a union, the first of its two. */
export const slot = <S extends Schema.Top>(number: number, schema: S): S["Rebuild"] =>
  schema.annotateKey({ flatBufferSlot: number })

/** A Struct as the member of a union that the type byte `type` announces. */
export const member = <S extends Schema.Top>(type: number, schema: S): S["Rebuild"] =>
  schema.annotate({ flatBuffer: { _tag: "Member", type } })

/** A value that has the form `wire` in the file. */
export const mapped = <A extends Schema.Top, W extends Schema.Constraint>(
  value: A,
  wire: W,
  mapping: {
    readonly decode: (wire: W["Type"]) => A["Type"] | Refused
    readonly encode: (value: A["Type"]) => W["Type"]
  }
): A["Rebuild"] => value.annotate({ flatBuffer: { _tag: "Mapped", wire, ...mapping } })

/** Names for the numbers from zero on. A greater number comes from a newer writer. */
export const names = <const Names extends ReadonlyArray<string>>(
  type: Schema.Top & { readonly Type: number },
  all: Names
) =>
  mapped(Schema.Literals(all), type, {
    decode: (number): Names[number] | Refused =>
      all[number] ?? new Refused("unsupported", all.map((name, i) => `${i} (${name})`).join(", "), number),
    encode: (name) => all.indexOf(name)
  })

/** A vector that is left out when empty. */
export const emptyAsAbsent = <S extends Schema.Top>(item: S) =>
  mapped(Schema.Array(item), Schema.UndefinedOr(Schema.Array(item)), {
    decode: (items) => items ?? [],
    encode: (items) => (items.length === 0 ? undefined : items)
  })
