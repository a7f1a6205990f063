/**
 * Reading of lists at places that are known to be there.
 *
 * @module
 */

/** The item at an index that the caller knows to be inside the list. */
export function itemAt<T>(list: ArrayLike<T>, index: number): T {
  return list[index] as T;
}
