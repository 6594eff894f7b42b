import { Injectable, Logger } from '@nestjs/common';
import { messageOf, ServiceClient } from 'nest-rookery';

/** What inventory said of a reservation; `unknown` when it could not be asked. */
export type Reservation = 'reserved' | 'sold-out' | 'unknown';

/** Calls the inventory service: balanced over its instances, behind a circuit, with a fallback. */
@Injectable()
export class InventoryClient {
  private readonly logger = new Logger(InventoryClient.name);

  constructor(private readonly client: ServiceClient) {}

  /** Reserves goods for an order; asking twice for the same order reserves once. */
  async reserve(order: { id: string; sku: string; quantity: number }): Promise<Reservation> {
    const { sku, ...body } = order;
    const path = `/stock/${encodeURIComponent(sku)}/reservations`;
    const answer = await this.client.put<{ reservation: Reservation }>('inventory', path, {
      body,
      timeout: '2s',
      fallback: (error) => {
        this.logger.debug(`Inventory cannot be asked: ${messageOf(error)}`);
        return { reservation: 'unknown' as const };
      },
    });
    return answer.reservation;
  }
}
