"""streams.py HOST PORT CAFILE|- on|off - asyncio, whose TLS runs through memory BIOs."""
import asyncio
import ssl
import sys


async def main(host, port, ca, verify):
    context = ssl.create_default_context(cafile=None if ca == "-" else ca)
    if verify == "off":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        print(error, file=sys.stderr)
        return 1
    writer.write(b"GET /hello HTTP/1.0\r\n\r\n")
    print((await reader.read()).decode())
    return 0


sys.exit(asyncio.run(main(*sys.argv[1:])))
