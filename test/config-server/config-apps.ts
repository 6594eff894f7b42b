import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { ConfigServerModule } from '../../lib/config-server/config-server.module.js';
import type { ConfigServerOptions } from '../../lib/config-server/config-server.options.js';
import { fileRepository } from '../../lib/config-server/repositories/file.repository.js';

export type Platform = 'express' | 'fastify';

/** Files in a new directory of their own; `write` replaces one, `remove` takes all away. */
export class ConfigFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'rookery-config-'));

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string | Buffer): void {
    writeFileSync(join(this.path, name), text);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Starts an application on a loopback port and says where it is. */
export async function startApp(
  metadata: ModuleMetadata,
  { platform = 'express', port = 0 }: { platform?: Platform; port?: number } = {},
): Promise<{ app: INestApplication; url: string; port: number }> {
  const module = await Test.createTestingModule(metadata).compile();
  const app =
    platform === 'express'
      ? module.createNestApplication(new ExpressAdapter(), { logger: false })
      : module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
          logger: false,
        });
  await app.listen(port, '127.0.0.1');
  const address = app.getHttpServer().address() as AddressInfo;
  return { app, url: `http://127.0.0.1:${address.port}`, port: address.port };
}

/** A config server over a directory. */
export function startConfigServer(
  folder: ConfigFolder,
  where: { platform?: Platform; port?: number } & Partial<ConfigServerOptions> = {},
) {
  const { platform, port, ...options } = where;
  const repository = fileRepository({ path: folder.path });
  return startApp(
    { imports: [ConfigServerModule.forRoot({ repository, ...options })] },
    { ...(platform ? { platform } : {}), ...(port === undefined ? {} : { port }) },
  );
}
