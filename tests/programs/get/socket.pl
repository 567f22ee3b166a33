# socket.pl HOST PORT CAFILE|- on|off - Perl's IO::Socket::SSL.
use strict;
use warnings;
use IO::Socket::SSL;

my ($host, $port, $ca, $verify) = @ARGV;
my %more;
$more{SSL_ca_file} = $ca if $ca ne '-';
$more{SSL_verify_mode} = SSL_VERIFY_NONE if $verify eq 'off';
my $socket = IO::Socket::SSL->new(PeerHost => $host, PeerPort => $port, Timeout => 25, %more)
    or die "$SSL_ERROR\n";
print $socket "GET /hello HTTP/1.0\r\n\r\n";
print while <$socket>;
