/** `placed`: its goods are reserved; `awaiting-stock`: inventory could not be asked; `paid`: payments has settled it. */
export type OrderStatus = 'placed' | 'awaiting-stock' | 'paid';

export interface Order {
  readonly id: string;
  readonly sku: string;
  readonly quantity: number;
  readonly status: OrderStatus;
}
