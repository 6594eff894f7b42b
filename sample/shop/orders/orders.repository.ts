import { mkdirSync } from 'node:fs';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import Database from 'libsql';
import type { Order, OrderStatus } from './order.js';

/** The orders, in a file that belongs to this service alone. */
@Injectable()
export class OrdersRepository implements OnModuleDestroy {
  private readonly database: Database.Database;

  constructor() {
    mkdirSync('data', { recursive: true });
    this.database = new Database('data/orders.sqlite', { timeout: 5_000 });
    // Readers and the other instance's writer do not block each other.
    this.database.exec('PRAGMA journal_mode = WAL');
    this.database.exec(
      'CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, sku TEXT NOT NULL, quantity INTEGER NOT NULL, status TEXT NOT NULL)',
    );
  }

  newest(limit: number): Order[] {
    const rows = this.database
      .prepare('SELECT * FROM orders ORDER BY rowid DESC LIMIT ?')
      .all(limit) as Order[];
    return rows.map(plain);
  }

  find(id: string): Order | undefined {
    const row = this.database.prepare('SELECT * FROM orders WHERE id = ?').get(id);
    return row ? plain(row as Order) : undefined;
  }

  add(order: Order): void {
    this.database
      .prepare('INSERT INTO orders (id, sku, quantity, status) VALUES (?, ?, ?, ?)')
      .run(order.id, order.sku, order.quantity, order.status);
  }

  mark(id: string, status: OrderStatus): void {
    this.database.prepare('UPDATE orders SET status = ? WHERE id = ?').run(status, id);
  }

  onModuleDestroy(): void {
    this.database.close();
  }
}

/** The row without what the driver adds to it. */
function plain({ id, sku, quantity, status }: Order): Order {
  return { id, sku, quantity, status };
}
