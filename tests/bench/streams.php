<?php
// streams.php PORT BUNDLE - one request with the https:// stream of PHP.
$tls = stream_context_create(["ssl" => ["cafile" => $argv[2], "peer_name" => "h0.bench.test"]]);
exit(file_get_contents("https://127.0.0.1:$argv[1]/", false, $tls) === false ? 1 : 0);
