/**
 * How segments of paths are written as file names.
 *
 * The form is that of the official engine's local store, so that both can stand
 * on one directory: most of ASCII stands for itself, the rest is percent-encoded
 * UTF-8 with upper-case digits. A file name that no segment is written as is not
 * an object.
 *
 * A number sign never comes out of the encoding. Both engines put one, followed by
 * digits only, behind the name of a file that is being written, and both ignore
 * such files.
 */

/** The segment as file name. */
export const encode = (segment: string): string =>
  segment.replace(NOT_PLAIN, (text) =>
    Array.from(encoder.encode(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("")
  )

/** The segment that is written as this file name, or `undefined` when there is none. */
export const decode = (name: string): string | undefined => {
  try {
    const segment = name.includes("%") ? decodeURIComponent(name) : name
    return encode(segment) === name ? segment : undefined
  } catch {
    return undefined
  }
}

/** The name under which a file is written before it gets its own. */
export const temporary = (name: string, number: string): string => `${name}#${number}`

/** Whether this is the name of a file that is, or was, being written, by either engine. */
export const isTemporary = (name: string): boolean => /^[^#]*#[0-9]+$/.test(name)

const encoder = new TextEncoder()

const NOT_PLAIN = /[^ !$&'()+,\-./0-9:;=@A-Z_a-z]+/g
