import { Injectable, Logger } from '@nestjs/common';
import { type Fallback, messageOf } from 'nest-rookery';
import type { InventoryContract, Reserved } from '../contracts/inventory.contract.js';

/** Answers in place of inventory while it cannot be asked: the order is kept, and waits. */
@Injectable()
export class InventoryFallback implements Fallback<InventoryContract> {
  private readonly logger = new Logger(InventoryFallback.name);

  reserve(cause: Error): Reserved {
    this.logger.debug(`Inventory cannot be asked: ${messageOf(cause)}`);
    return { reservation: 'unknown' };
  }
}
