import { mkdirSync } from 'node:fs';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import Database from 'libsql';

export interface StockItem {
  readonly sku: string;
  readonly available: number;
}

/** The stock and what is reserved of it, in a file that belongs to this service alone. */
@Injectable()
export class StockRepository implements OnModuleDestroy {
  private readonly database: Database.Database;

  constructor() {
    mkdirSync('data', { recursive: true });
    this.database = new Database('data/inventory.sqlite', { timeout: 5_000 });
    this.database.exec('PRAGMA journal_mode = WAL');
    this.database.exec(`
      CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL CHECK (available >= 0));
      CREATE TABLE IF NOT EXISTS reservations (order_id TEXT PRIMARY KEY, sku TEXT NOT NULL, quantity INTEGER NOT NULL);
    `);
  }

  /** Puts goods on the shelf that were never there before. */
  stockUp(sku: string, available: number): void {
    this.database
      .prepare('INSERT OR IGNORE INTO stock (sku, available) VALUES (?, ?)')
      .run(sku, available);
  }

  all(): StockItem[] {
    const rows = this.database.prepare('SELECT * FROM stock ORDER BY sku').all() as StockItem[];
    return rows.map(plain);
  }

  find(sku: string): StockItem | undefined {
    const row = this.database.prepare('SELECT * FROM stock WHERE sku = ?').get(sku);
    return row ? plain(row as StockItem) : undefined;
  }

  /** Takes goods off the shelf for an order, once; says whether there were enough. */
  reserve(orderId: string, sku: string, quantity: number): boolean {
    const once = this.database.transaction((): boolean => {
      const known = this.database
        .prepare('SELECT 1 FROM reservations WHERE order_id = ?')
        .get(orderId);
      if (known) return true;
      const { changes } = this.database
        .prepare('UPDATE stock SET available = available - ? WHERE sku = ? AND available >= ?')
        .run(quantity, sku, quantity);
      if (changes === 0) return false;
      this.database
        .prepare('INSERT INTO reservations (order_id, sku, quantity) VALUES (?, ?, ?)')
        .run(orderId, sku, quantity);
      return true;
    });
    return once.immediate();
  }

  onModuleDestroy(): void {
    this.database.close();
  }
}

/** The row without what the driver adds to it. */
function plain({ sku, available }: StockItem): StockItem {
  return { sku, available };
}
