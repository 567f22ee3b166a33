<?php // curl.php HOST PORT CAFILE|- on|off - PHP's binding of libcurl.
[, $host, $port, $ca, $verify] = $argv;
$curl = curl_init("https://$host:$port/hello");
curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 25]);
if ($ca != '-')
    curl_setopt($curl, CURLOPT_CAINFO, $ca);
if ($verify == 'off')
    curl_setopt_array($curl, [CURLOPT_SSL_VERIFYPEER => false, CURLOPT_SSL_VERIFYHOST => 0]);
$page = curl_exec($curl);
if ($page === false) {
    fwrite(STDERR, 'curl error ' . curl_errno($curl) . ': ' . curl_error($curl) . "\n");
    exit(1);
}
echo $page;
