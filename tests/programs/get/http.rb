# http.rb HOST PORT CAFILE|- on|off - Ruby's net/http.
require "net/http"
host, port, ca, verify = ARGV
http = Net::HTTP.new(host, port.to_i, nil)
http.use_ssl = true
http.read_timeout = 25
http.ca_file = ca unless ca == "-"
http.verify_mode = OpenSSL::SSL::VERIFY_NONE if verify == "off"
begin
  puts http.get("/hello").body
rescue OpenSSL::SSL::SSLError => error
  abort error.message
end
