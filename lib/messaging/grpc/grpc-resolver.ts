import type { experimental as Experimental, InterceptingCall, Interceptor } from '@grpc/grpc-js';
import { optionalPackage } from '../../common/optional-package.js';
import type { DiscoveryClient } from '../../discovery/discovery-client.js';
import type { ServiceInstance } from '../../discovery/service-instance.js';

type Grpc = typeof import('@grpc/grpc-js');
type Listener = Experimental.ResolverListener;

/** The status that says: no connection, try later (grpc/doc/statuscodes.md). */
const UNAVAILABLE = 14;

/** Loads `@grpc/grpc-js`, which only those need who call over gRPC. */
export function loadGrpc(): Promise<Grpc> {
  return optionalPackage(() => import('@grpc/grpc-js'), {
    name: '@grpc/grpc-js',
    use: 'GrpcClients calls with @grpc/grpc-js',
  });
}

/** Where an instance takes gRPC calls, or `undefined` when it has not said so. */
function addressOf({ host, ports }: ServiceInstance): { host: string; port: number } | undefined {
  const port = ports['grpc'];
  return port === undefined ? undefined : { host, port };
}

/**
 * Teaches gRPC to find services through discovery: `scheme:///inventory` is all living instances of inventory that take
 * gRPC calls. gRPC's resolvers are experimental and belong to the process, so each application has a scheme of its own.
 */
export function registerResolver(grpc: Grpc, scheme: string, discovery: DiscoveryClient): void {
  const { experimental, Metadata } = grpc;
  experimental.registerResolver(
    scheme,
    class DiscoveryResolver implements Experimental.Resolver {
      private readonly service: string;
      private stop: (() => void) | undefined;

      constructor(
        target: { readonly path: string },
        private readonly listener: Listener,
      ) {
        this.service = target.path;
      }

      /** The name that a server sees as the one it is called by. */
      static getDefaultAuthority(target: { readonly path: string }): string {
        return target.path;
      }

      updateResolution(): void {
        // Asked again after each broken connection: what has changed was told already, and telling it anew would loop.
        if (this.stop !== undefined) return;
        this.stop = discovery.onChange(this.service, () => this.tell());
        // Never within the call itself, as gRPC asks.
        void discovery.ready(this.service).then(() => this.tell());
      }

      destroy(): void {
        this.stop?.();
        this.stop = undefined;
      }

      private tell(): void {
        if (this.stop === undefined) return;
        const addresses = discovery
          .instances(this.service)
          .flatMap((instance) => addressOf(instance) ?? []);
        const endpoints = addresses.map((address) => ({ addresses: [address] }));
        const found =
          endpoints.length > 0
            ? experimental.statusOrFromValue(endpoints)
            : experimental.statusOrFromError<Experimental.Endpoint[]>({
                code: UNAVAILABLE,
                details: `No instance of "${this.service}" takes gRPC calls.`,
                metadata: new Metadata(),
              });
        this.listener(found, {}, null, '');
      }
    },
  );
}

/** Lets every call carry some headers, and end when the time of the request it is made for is over. */
export function carryingInterceptor(
  grpc: Grpc,
  outgoing: () => Readonly<Record<string, string>>,
  deadline: () => Date | undefined,
): Interceptor {
  return (options, nextCall): InterceptingCall => {
    const headers = Object.entries(outgoing());
    const end = deadline();
    const given = options.deadline === undefined ? undefined : Number(options.deadline);
    const limited =
      end && (given === undefined || given > Number(end)) ? { ...options, deadline: end } : options;
    return new grpc.InterceptingCall(nextCall(limited), {
      start: (metadata, listener, next) => {
        for (const [name, value] of headers) {
          if (metadata.get(name).length === 0) metadata.set(name, value);
        }
        next(metadata, listener);
      },
    });
  };
}
