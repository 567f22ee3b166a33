-- sec.lua HOST PORT CAFILE|- on|off - LuaSec.
local socket, ssl = require("socket"), require("ssl")
local host, port, ca, verify = table.unpack(arg)
local settings = { mode = "client", protocol = "any", options = "all",
                   verify = verify == "on" and "peer" or "none" }
if ca ~= "-" then
  settings.cafile = ca
elseif verify == "on" then
  settings.cafile = "/etc/ssl/certs/ca-certificates.crt"
end
local plain = assert(socket.connect(host, port))
plain:settimeout(25)
local secured = assert(ssl.wrap(plain, settings))
secured:sni(host)
assert(secured:dohandshake())
secured:send("GET /hello HTTP/1.0\r\n\r\n")
print((secured:receive("*a")))
