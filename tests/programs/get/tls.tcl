# tls.tcl HOST PORT CAFILE|- on|off - Tcl's tls package.
package require tls
lassign $argv host port ca verify
set options [list -servername $host -require [expr {$verify eq "on"}]]
if {$ca ne "-"} {lappend options -cafile $ca} else {lappend options -cadir /etc/ssl/certs}
set channel [tls::socket {*}$options $host $port]
if {[catch {tls::handshake $channel} what]} {
    puts stderr $what
    exit 1
}
fconfigure $channel -translation binary
puts -nonewline $channel "GET /hello HTTP/1.0\r\n\r\n"
flush $channel
puts [read $channel]
