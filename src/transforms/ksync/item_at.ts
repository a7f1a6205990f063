/**
 * Reading of lists at places that are known to be there.
 *
 * @module
 */

/**
 * The item at an index that the caller knows to be inside the list.
 *
 * Not for the hot path: there the same is written out, because the compiler keeps one record of
 * the kinds of lists for each place, and here they all meet.
 */
export function itemAt<T>(list: ArrayLike<T>, index: number): T {
  return list[index] as T;
}
