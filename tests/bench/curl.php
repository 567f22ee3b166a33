<?php
// curl.php PORT BUNDLE - one request with the curl of PHP.
$request = curl_init("https://h0.bench.test:$argv[1]/");
curl_setopt_array($request, [CURLOPT_CAINFO => $argv[2], CURLOPT_RETURNTRANSFER => true,
    CURLOPT_RESOLVE => ["h0.bench.test:$argv[1]:127.0.0.1"]]);
exit(curl_exec($request) === false ? 1 : 0);
