<?php // streams.php HOST PORT CAFILE|- on|off - PHP's https:// stream wrapper.
[, $host, $port, $ca, $verify] = $argv;
$ssl = ['verify_peer' => $verify == 'on', 'verify_peer_name' => $verify == 'on'];
if ($ca != '-')
    $ssl['cafile'] = $ca;
$page = file_get_contents("https://$host:$port/hello", false,
                          stream_context_create(['ssl' => $ssl, 'http' => ['timeout' => 25]]));
if ($page === false)
    exit(1);
echo $page;
