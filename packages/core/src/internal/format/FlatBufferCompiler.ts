/**
 * Makes a reader and a writer of a schema that is annotated with FlatBuffers
 * slots ({@link "./FlatBufferSchema.ts"}).
 *
 * The schema is walked once, when its module is loaded. What is left is a list
 * of closures for each table, in the order of its keys: reading a table is a
 * loop over them, without a look at the schema. A schema that cannot lie in a
 * FlatBuffer is a defect of the program that has it, found at that moment.
 */
import type * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { Builder, read, type Reader, type Shape } from "./FlatBuffer.ts"
import type { FormatError } from "./FormatError.ts"
import { scalars } from "./FlatBufferScalar.ts"
import { Refused, type ScalarType, type Wire } from "./FlatBufferSchema.ts"

export interface Decoded<A> {
  readonly value: A
  /** The first thing met that only a newer writer puts there: what was decoded is right, but not all there is. */
  readonly newer: string | undefined
}

/** The codec of one root table. */
export interface Table<A> {
  readonly decode: (bytes: Uint8Array) => Result.Result<Decoded<A>, FormatError>
  /** The buffer, after `reserved` zero bytes for an envelope. */
  readonly encode: (value: A, reserved?: number) => Uint8Array
}

/** `name` begins the part that a `FormatError` names: `manifest` in `manifest.l0.id`. */
export const compile = <S extends Schema.Constraint>(name: string, schema: S): Table<S["Type"]> => {
  const table = tableForm(name, schema.ast)
  return {
    decode: (bytes) =>
      read(bytes, (reader) => {
        // The walk made `table` of the very schema that gives the type.
        const value: S["Type"] = table.read(reader, reader.root(name))
        return { value, newer: reader.newer }
      }),
    encode: (value, reserved = 0) => {
      const builder = new Builder(reserved)
      return builder.finish(table.write(builder, value))
    }
  }
}

/** How a value lies in a slot or vector: inline, or as an offset to where it lies. */
interface Form {
  readonly size: 1 | 2 | 4 | 8
  readonly read: (reader: Reader, position: number) => unknown
  /** What an absent slot means, in the table at this position. */
  readonly absent: (reader: Reader, table: number) => unknown
  /** From the value to what is written. */
  readonly encode: (value: unknown) => unknown
  /** Whether a slot is left out that would hold this encoded value. */
  readonly omits: (encoded: unknown) => boolean
  readonly write: (builder: Builder, position: number, encoded: unknown) => void
}

/** How a value lies where an offset points. */
interface Target {
  readonly read: (reader: Reader, position: number) => unknown
  /** Answers the value's position. */
  readonly write: (builder: Builder, value: unknown) => number
}

const identity = (value: unknown): unknown => value
const isUndefined = (value: unknown): boolean => value === undefined

const required =
  (part: string) =>
  (reader: Reader, table: number): never =>
    reader.corrupt(part, table, "a value", "none")

const scalarForm = (part: string, type: ScalarType): Form => {
  const { size, zero, read, write } = scalars[type]
  return {
    size,
    read: (reader, position) => read(reader, position, part),
    absent: () => zero,
    encode: identity,
    omits: (encoded) => encoded === zero,
    write
  }
}

const offsetForm = (part: string, target: Target): Form => ({
  size: 4,
  read: (reader, position) => target.read(reader, reader.follow(part, position)),
  absent: required(part),
  encode: identity,
  omits: () => false,
  write: (builder, position, encoded) => builder.link(position, target.write(builder, encoded))
})

const optionalForm = (form: Form): Form => ({
  ...form,
  absent: () => undefined,
  encode: (value) => (value === undefined ? undefined : form.encode(value)),
  omits: isUndefined
})

const mappedForm = (part: string, mapping: Extract<Wire, { readonly _tag: "Mapped" }>): Form => {
  const form = formOf(part, mapping.wire.ast)
  const decode = (reader: Reader, wire: unknown, offset: number): unknown => {
    const value = mapping.decode(wire)
    if (!(value instanceof Refused)) return value
    return reader[value.kind](part, offset, value.expected, value.found)
  }
  return {
    ...form,
    read: (reader, position) => decode(reader, form.read(reader, position), position),
    absent: (reader, table) => decode(reader, form.absent(reader, table), table),
    encode: (value) => form.encode(mapping.encode(value))
  }
}

const vectorTarget = (part: string, item: Form): Target => ({
  read: (reader, position) => {
    const count = reader.vector(part, position, item.size)
    const items: Array<unknown> = []
    for (let i = 0; i < count; i++) items.push(item.read(reader, position + 4 + i * item.size))
    return items
  },
  write: (builder, value) => {
    const items = value as ReadonlyArray<unknown>
    const position = builder.vector(items.length, item.size)
    for (let i = 0; i < items.length; i++) {
      item.write(builder, position + 4 + i * item.size, item.encode(items[i]))
    }
    return position
  }
})

const bytesTarget = (part: string): Target => ({
  read: (reader, position) => reader.byteVector(part, position),
  write: (builder, value) => builder.byteVector(value as Uint8Array)
})

const textTarget = (part: string): Target => ({
  read: (reader, position) => reader.text(part, position),
  write: (builder, value) => builder.text(value as string)
})

const formOf = (part: string, ast: SchemaAST.AST): Form => {
  const wire = SchemaAST.resolveAt<Wire>("flatBuffer")(ast)
  switch (wire?._tag) {
    case "Scalar":
      return scalarForm(part, wire.type)
    case "Bytes":
      return offsetForm(part, bytesTarget(part))
    case "Text":
      return offsetForm(part, textTarget(part))
    case "Mapped":
      return mappedForm(part, wire)
    default: {
      const some = optionalOf(ast)
      if (some !== undefined) return optionalForm(formOf(part, some))
      if (SchemaAST.isArrays(ast)) return offsetForm(part, vectorTarget(part, formOf(part, itemOf(part, ast))))
      return offsetForm(part, tableForm(part, ast))
    }
  }
}

/** The other member of a union with undefined. */
const optionalOf = (ast: SchemaAST.AST): SchemaAST.AST | undefined => {
  if (!SchemaAST.isUnion(ast) || !ast.types.some(SchemaAST.isUndefined)) return undefined
  return ast.types.find((type) => !SchemaAST.isUndefined(type))
}

const itemOf = (part: string, ast: SchemaAST.Arrays): SchemaAST.AST => {
  const item = ast.rest[0]
  if (item === undefined || ast.elements.length > 0) throw unlayable(part, "a vector has one type of element")
  return item
}

/** One key of a table, on reading. */
interface FieldReader {
  readonly name: string
  readonly read: (reader: Reader, table: number, vtable: number) => unknown
}

/** One slot of a table, on writing. */
interface FieldWriter {
  readonly slot: number
  readonly size: 1 | 2 | 4 | 8
  readonly encode: (table: Record<string, unknown>) => unknown
  readonly omits: (encoded: unknown) => boolean
  readonly write: (builder: Builder, position: number, encoded: unknown) => void
}

interface Fields {
  readonly readers: Array<FieldReader>
  readonly writers: Array<FieldWriter>
}

const tableForm = (part: string, ast: SchemaAST.AST): Target => {
  if (!SchemaAST.isObjects(ast)) throw unlayable(part, `${ast._tag} is no table`)
  const fields: Fields = { readers: [], writers: [] }
  for (const { name, type } of ast.propertySignatures) addField(fields, part, String(name), type)
  const { readers, writers } = fields
  const slotsKnown = Math.max(0, ...writers.map((field) => field.slot + 1))
  const shapeOf = shapes(part, writers)
  return {
    read: (reader, position) => {
      const vtable = reader.table(part, position)
      const value: Record<string, unknown> = {}
      for (const field of readers) value[field.name] = field.read(reader, position, vtable)
      const slotCount = reader.slotCount(vtable)
      for (let slot = slotsKnown; slot < slotCount; slot++) {
        if (reader.slot(part, position, vtable, slot, 1) !== 0) reader.newer ??= `${part} slot=${slot}`
      }
      return value
    },
    write: (builder, value) => {
      const encoded = writers.map((field) => field.encode(value as Record<string, unknown>))
      let present = 0
      for (let i = 0; i < writers.length; i++) {
        if (!(writers[i] as FieldWriter).omits(encoded[i])) present |= 1 << i
      }
      const shape = shapeOf(present)
      const position = builder.table(shape)
      for (let i = 0; i < writers.length; i++) {
        if ((present & (1 << i)) === 0) continue
        const field = writers[i] as FieldWriter
        field.write(builder, position + (shape.vtable[2 + field.slot] as number), encoded[i])
      }
      return position
    }
  }
}

const addField = (fields: Fields, table: string, name: string, ast: SchemaAST.AST): void => {
  const part = `${table}.${name}`
  const slot = ast.context?.annotations?.flatBufferSlot
  if (slot === undefined) {
    if (!SchemaAST.isLiteral(ast)) throw unlayable(part, "a key has a slot or is a literal")
    fields.readers.push({ name, read: () => ast.literal })
    return
  }
  const union = optionalOf(ast) ?? ast
  if (SchemaAST.isUnion(union) && SchemaAST.resolveAt<Wire>("flatBuffer")(ast) === undefined) {
    return addUnion(fields, part, name, slot, union, union !== ast)
  }
  const form = formOf(part, ast)
  fields.readers.push({
    name,
    read: (reader, position, vtable) => {
      const at = reader.slot(part, position, vtable, slot, form.size)
      return at === 0 ? form.absent(reader, position) : form.read(reader, at)
    }
  })
  fields.writers.push({ ...form, slot, encode: (value) => form.encode(value[name]) })
}

/** A union: its type in `slot`, in the next one the offset of its value. */
const addUnion = (
  fields: Fields,
  part: string,
  name: string,
  slot: number,
  union: SchemaAST.Union,
  optional: boolean
): void => {
  const members = union.types.map((ast) => {
    const wire = SchemaAST.resolveAt<Wire>("flatBuffer")(ast)
    if (wire?._tag !== "Member") throw unlayable(part, "a member of a union has a number")
    return { type: wire.type, tag: tagOf(part, ast), target: tableForm(part, ast) }
  })
  const known = members.map((member) => `${member.type} (${member.tag})`).join(", ")
  const byType = new Map(members.map((member) => [member.type, member]))
  const byTag = new Map(members.map((member) => [member.tag, member]))
  const memberOf = (value: unknown) => {
    const found = byTag.get((value as { readonly _tag: string })._tag)
    if (found === undefined) throw unlayable(part, "a value of a union is one of its members")
    return found
  }
  const absent = optional ? () => undefined : required(part)

  fields.readers.push({
    name,
    read: (reader, table, vtable) => {
      const typeAt = reader.slot(part, table, vtable, slot, 1)
      const type = typeAt === 0 ? 0 : reader.view.getUint8(typeAt)
      const at = reader.slot(part, table, vtable, slot + 1, 4)
      if ((type === 0) !== (at === 0)) reader.corrupt(part, table, "a type and a value, or neither", `type ${type}`)
      if (at === 0) return absent(reader, table)
      const target = reader.follow(part, at)
      const found = byType.get(type)
      if (found !== undefined) return found.target.read(reader, target)
      if (!optional) reader.unsupported(part, typeAt, known, type)
      reader.newer ??= `${part} type=${type}`
      return undefined
    }
  })
  fields.writers.push({
    slot,
    size: 1,
    encode: (value) => value[name],
    omits: isUndefined,
    write: (builder, position, encoded) => builder.u8(position, memberOf(encoded).type)
  })
  fields.writers.push({
    slot: slot + 1,
    size: 4,
    encode: (value) => value[name],
    omits: isUndefined,
    write: (builder, position, encoded) => builder.link(position, memberOf(encoded).target.write(builder, encoded))
  })
}

const tagOf = (part: string, ast: SchemaAST.AST): string => {
  const tag = SchemaAST.isObjects(ast) ? ast.propertySignatures.find(({ name }) => name === "_tag")?.type : undefined
  if (tag === undefined || !SchemaAST.isLiteral(tag)) throw unlayable(part, "a member of a union has a _tag")
  return String(tag.literal)
}

/** Lays out a table for each set of present fields, once: wide values first, so that none needs padding. */
const shapes = (part: string, writers: ReadonlyArray<FieldWriter>): ((present: number) => Shape) => {
  if (writers.length > 31) throw unlayable(part, "a table has at most 31 slots")
  const known = new Map<number, Shape>()
  const layOut = (present: number): Shape => {
    const fields = writers.filter((_, i) => (present & (1 << i)) !== 0).toSorted((a, b) => b.size - a.size)
    const vtable = Array.from({ length: 2 + Math.max(0, ...fields.map((field) => field.slot + 1)) }, () => 0)
    let end = 4
    for (const field of fields) {
      vtable[2 + field.slot] = end
      end += field.size
    }
    vtable[0] = vtable.length * 2
    vtable[1] = end
    return { vtable, key: vtable.join(), alignment: fields[0]?.size === 8 ? 8 : 4 }
  }
  return (present) => {
    let shape = known.get(present)
    if (shape === undefined) known.set(present, (shape = layOut(present)))
    return shape
  }
}

const unlayable = (part: string, why: string): Error => new Error(`no FlatBuffers form for ${part}: ${why}`)
