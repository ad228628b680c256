import { createInflate, type Inflate, inflateRawSync } from 'node:zlib';

/** The dictionary that SPDY/3 gives both sides of header compression (SPDY Protocol draft 3, section 2.6.10.1). */
const dictionary = inflateRawSync(
  Buffer.from(
    'ZVRRb9s2EBYWxy66tlvXP8DnTWooiUrTAXlIu2VLBqfF4mHPZ/IksaFIlqJku79+IGVn7gYI0N3Hu+++u6OUJMnCWC+N7pMkmbUIIryt6X2SJCd2CK+5QIUekyQ59Q54MObAOdpw+GKyMt6C6zEg3+0R1NwIqZsjSIFuBmgCw/M95EA3GIqfTPgpKGU2MWDwrXHyCwR5AeDAW8y40d4ZlSTJU260Rr4/fhYOUPtsDX0g+v7gH+l4xI6EvHjEUDe+/SrK8EPxbw9YJ6qoZe9G+cfV/c4GfyYgTmyGHkLlOW4t8jCeBW6tdLHlWe1MF+c+zfuJrLMOPA8iXgbbCFlLFFkvdRz7c1ln2mh8jAoZBwmvZJ0N+v85Cnr/SBVyjtp61sE2q43bgBNB0dw6aDpIkuQH68x2l4UloPaST+28+hc9Xs3pQcPCYY0OXZiYQ+92GdQ+uvMe3RitbyLTwjuQKgIvvQPd1+iOV7UYbONAhNCnQ48ugwZ1GNJsBLcL92WUQediA07vt7vZbP4reN6hb01o+6SJt3Pee/BD7LWglHz4I3CM6Pqpkye/r1Yfz/LXecgYnIozGdZK8iCkR59xYx5klPWAaDNQcoyFjJON1DmlOc2L8BQFrQp6XlJa0qKkZUlZSasyIG8YLRitGD1nwb5g9C3LKctzlhcsL1nOWF6x/JzlbypaVJRVgaokd0ZnV9PsPXg5IrnRtXFd3ENBGbkz5P10EUuak6UZUZCP6DrQqL3aMUrJOxDkT/w8YO8Zzclf+rBMFIyW5Nq4tRQCNYt0nlybQYuKUnKjPToNitzHTZJfnTOuonmMuumswg61R1HRMoZIjoF9BKlgrfAWNLnGNVmCI1fWkSXsyO2gye2gyNXQkHu0nnzgntyZkfyCnFD6c3zI0uiUrAZMyd8oUrJqh5RcO5mSe/ApuR90Sn5brng76AcUqcetP2t9p1LZQYNnVjd765M9WI2sU7BWyelDONt26ms/5P8U0MhmFUg9mZ9ghJ47aX06XQvr5Agew3cEDV42X6RNBdYKPKa94O3+v3g5+Dq7ODiyN9nFRfU2y9OApz+mqD9f0tf/AA==',
    'base64',
  ),
);

/** Header names are lower case. Several values of one name are separated by NUL on the wire; only the first is kept. */
export type SpdyHeaders = Readonly<Record<string, string>>;

/** Go's decompressor hands out data only at an empty stored block, which a flush would write. */
const flushMark = Buffer.from([0, 0, 0, 0xff, 0xff]);
const zlibHeader = Buffer.from([0x78, 0x01]);
/** A stored block cannot be longer. */
const maxBlockBytes = 0xffff;

/** Writes header blocks as a zlib stream of stored blocks: valid for any reader, and needs no state but "was there one before". */
export class HeaderWriter {
  #first = true;

  encode(headers: SpdyHeaders): Buffer {
    const plain = serialize(headers);
    if (plain.length > maxBlockBytes) throw new RangeError(`SPDY headers of ${plain.length} bytes`);
    const block = Buffer.alloc(5);
    block.writeUInt16LE(plain.length, 1);
    block.writeUInt16LE(~plain.length & 0xffff, 3);
    const parts = [block, plain, flushMark];
    if (this.#first) parts.unshift(zlibHeader);
    this.#first = false;
    return Buffer.concat(parts);
  }
}

/** Reads the header blocks of one connection, which form one zlib stream: blocks must be given in order, one at a time. */
export class HeaderReader {
  readonly #inflate: Inflate;
  #plain: Buffer[] = [];
  #failed: ((error: Error) => void) | undefined;

  constructor() {
    this.#inflate = createInflate({ dictionary, maxOutputLength: maxBlockBytes * 16 });
    this.#inflate.on('data', (chunk: Buffer) => this.#plain.push(chunk));
    this.#inflate.on('error', (error) => this.#failed?.(error));
  }

  decode(block: Buffer): Promise<SpdyHeaders> {
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      this.#plain = [];
      this.#inflate.write(block);
      this.#inflate.flush(() => {
        try {
          resolve(parse(Buffer.concat(this.#plain)));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  close(): void {
    this.#inflate.close();
  }
}

function serialize(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers);
  const texts = entries.flatMap(([name, value]) => [withLength(Buffer.from(name.toLowerCase())), withLength(Buffer.from(value))]);
  return Buffer.concat([uint32(entries.length), ...texts]);
}

function parse(data: Buffer): SpdyHeaders {
  const headers: Record<string, string> = {};
  let position = 4;
  const text = (): string => {
    const start = position + 4;
    position = start + data.readUInt32BE(position);
    if (position > data.length) throw new RangeError('SPDY headers end early');
    return data.toString('utf8', start, position);
  };
  for (let left = data.readUInt32BE(0); left > 0; left--) {
    const name = text();
    headers[name] = text().split('\0')[0]!;
  }
  return headers;
}

function withLength(data: Buffer): Buffer {
  return Buffer.concat([uint32(data.length), data]);
}

function uint32(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value);
  return data;
}
