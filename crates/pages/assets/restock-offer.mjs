// What a restock offers before anybody types.
import { count } from "./numbers.mjs";

/** All that a SKU has in reserve; nothing where it has none: how many more there may be is for the host to say. */
export const restockOffer = ({ reserve = 0 }) => (reserve > 0 ? count(reserve) : "");
