import { mkdirSync } from 'node:fs';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import Database from 'libsql';

export interface Payment {
  readonly orderId: string;
  readonly cents: number;
  readonly currency: string;
}

/** The payments, in a file that belongs to this service alone. */
@Injectable()
export class PaymentsRepository implements OnModuleDestroy {
  private readonly database: Database.Database;

  constructor() {
    mkdirSync('data', { recursive: true });
    this.database = new Database('data/payments.sqlite', { timeout: 5_000 });
    this.database.exec('PRAGMA journal_mode = WAL');
    this.database.exec(
      'CREATE TABLE IF NOT EXISTS payments (orderId TEXT PRIMARY KEY, cents INTEGER NOT NULL, currency TEXT NOT NULL)',
    );
  }

  newest(limit: number): Payment[] {
    const rows = this.database
      .prepare('SELECT * FROM payments ORDER BY rowid DESC LIMIT ?')
      .all(limit) as Payment[];
    return rows.map(plain);
  }

  find(orderId: string): Payment | undefined {
    const row = this.database.prepare('SELECT * FROM payments WHERE orderId = ?').get(orderId);
    return row ? plain(row as Payment) : undefined;
  }

  /** Keeps a payment; an event that is delivered twice is paid once. */
  settle(payment: Payment): boolean {
    const { changes } = this.database
      .prepare('INSERT OR IGNORE INTO payments (orderId, cents, currency) VALUES (?, ?, ?)')
      .run(payment.orderId, payment.cents, payment.currency);
    return changes === 1;
  }

  onModuleDestroy(): void {
    this.database.close();
  }
}

/** The row without what the driver adds to it. */
function plain({ orderId, cents, currency }: Payment): Payment {
  return { orderId, cents, currency };
}
