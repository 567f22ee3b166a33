# lwp.pl HOST PORT CAFILE|- on|off - Perl's LWP.
use strict;
use warnings;
use LWP::UserAgent;

my ($host, $port, $ca, $verify) = @ARGV;
my $agent = LWP::UserAgent->new(timeout => 25);
$agent->ssl_opts(SSL_ca_file => $ca) if $ca ne '-';
$agent->ssl_opts(verify_hostname => 0, SSL_verify_mode => 0) if $verify eq 'off';
my $answer = $agent->get("https://$host:$port/hello");
die $answer->status_line . "\n" . $answer->content . "\n" unless $answer->is_success;
print $answer->content;
