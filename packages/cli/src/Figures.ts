/** Numbers as people read them. */

/** `171,075` */
export const count = (value: number): string => Math.round(value).toLocaleString("en-US")

/** `1 row`, `2 rows` */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`

/** `512 B`, `1.5 KiB`, `23 MiB` */
export const bytes = (value: number): string => {
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(3).replace(/\.?0+$/, "")} ${units[unit]}`
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"]

/** `0.8 ms`, `420 ms`, `3.1 s`, `2 min 5 s`, `3 h 20 min`, `12 d 4 h` */
export const duration = (millis: number): string => {
  if (millis < 10) return `${millis.toFixed(1)} ms`
  if (millis < 1000) return `${Math.round(millis)} ms`
  if (millis < 60_000) return `${(millis / 1000).toFixed(1)} s`
  if (millis < hourMillis) return `${Math.floor(millis / 60_000)} min ${Math.floor((millis % 60_000) / 1000)} s`
  if (millis < 24 * hourMillis) {
    return `${Math.floor(millis / hourMillis)} h ${Math.floor((millis % hourMillis) / 60_000)} min`
  }
  return `${Math.floor(millis / (24 * hourMillis))} d ${Math.floor((millis % (24 * hourMillis)) / hourMillis)} h`
}

const hourMillis = 60 * 60_000

/** `45 %` */
export const percent = (fraction: number): string => `${Math.floor(100 * fraction)} %`

/** Events in a second; 0 when no time went by. */
export const rate = (events: number, millis: number): number => (millis > 0 ? (1000 * events) / millis : 0)

/** `$0.0042`: two digits that say something, at least cents. */
export const dollars = (value: number): string =>
  value >= 0.01 || value === 0
    ? `$${value.toFixed(2)}`
    : `$${value.toFixed(Math.min(8, 1 - Math.floor(Math.log10(value))))}`
