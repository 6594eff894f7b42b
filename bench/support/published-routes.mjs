// Instances that publish routes as services do: a manifest in their metadata, named by its digest.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

const PART = 512;

/** An instance of a service whose build has so many routes, named after the build. */
export function instanceWith({ service, port, build, count }) {
  const routes = Array.from({ length: count }, (_, at) => ({
    id: `${service}#Controller${at >> 3}.${build}${at & 7}`,
    method: ['GET', 'POST', 'PUT', 'DELETE'][at & 3],
    path: `/api/${service}/resource-${at >> 2}-${build}/:id`,
    to: `/resource-${at >> 2}/:id`,
  }));
  const always = { id: `${service}#Always.here`, method: 'GET', path: '/api/x', to: '/api/x' };
  const body = JSON.stringify({ v: 1, service, routes: [always, ...routes] });
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 12);
  const packed = gzipSync(body, { level: 9 }).toString('base64url');
  const parts = Array.from({ length: Math.ceil(packed.length / PART) }, (_, at) => [
    `rookery-m${at}`,
    packed.slice(at * PART, (at + 1) * PART),
  ]);
  return {
    id: `${service}-${port}`,
    service,
    host: '127.0.0.1',
    port,
    ports: {},
    scheme: 'http',
    status: 'up',
    weight: 1,
    tags: [],
    metadata: { 'rookery-digest': digest, ...Object.fromEntries(parts) },
  };
}
